/** Beside sockets: the key database, pipes, modules. */
const OTHER_FILES = 100;

export class FileLimitError extends Error {
  override readonly name = "FileLimitError";
}

/** @param sockets of one process. @throws FileLimitError where a process may not have so many */
export function checkFileLimit(sockets: number, limit = fileLimit()): void {
  const needed = sockets + OTHER_FILES;
  if (limit >= needed) return;
  throw new FileLimitError(
    `${sockets} sockets need ${needed} open files, and a process may have ${limit} here; ` +
      `raise the hard limit (ulimit -Hn ${needed}, as root), or measure fewer clients with --sizes`,
  );
}

/** Node.js has raised the soft limit to the hard one when it started, and so do the processes that it starts. */
function fileLimit(): number {
  if (process.report === undefined) return Number.POSITIVE_INFINITY;
  const { userLimits }: { userLimits?: { open_files?: { soft?: number | string } } } = Object(
    process.report.getReport(),
  );
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}
