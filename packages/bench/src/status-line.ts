import type { Writable } from "node:stream";

/** Says what is being done in a line that is written over; nothing where nobody sees it. An empty text takes it away. */
export function statusLine(stream: Writable & { readonly isTTY?: boolean }): (text: string) => void {
  return (text) => {
    if (stream.isTTY === true) stream.write(`\r\u001b[K${text}`);
  };
}
