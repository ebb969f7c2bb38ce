import { stat, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Credential, parseAddress, writeCredentialFile } from "@pawl/client";
import {
  type ClientId,
  copyOf,
  type Epoch,
  importPsk,
  LAST_BYTES,
  nodeCrypto,
  type Suite,
  utf8,
  wipe,
} from "@pawl/protocol";
import { createClientSecret, type NewClient } from "@pawl/server/keys";
import { UsageError } from "./exit.ts";
import type { Settings } from "./settings.ts";
import { formatAddress } from "./units.ts";

/** What both sides get of one client: the record of the store and the credential file. */
export interface Enrolment {
  readonly client: NewClient;
  readonly credential: Credential;
}

/** A pre-shared key from elsewhere (section 4.2). */
export interface ImportedPsk {
  readonly psk: Uint8Array;
  readonly enrolment: number;
  readonly service: string;
}

export interface EnrolmentRequest {
  readonly suite: Suite;
  readonly label: string | null;
  /** Null: a random secret. */
  readonly imported: ImportedPsk | null;
  /** For the credential; null: it names none. */
  readonly server: string | null;
}

/** The base key of the lab protocol, which is no secret (section 3). */
const BASEKEY = utf8("basekey");

/** The caller overwrites `credential.secret`, which both share. @throws KeyError for a psk that is too short */
export function enrolmentOf(id: ClientId, { suite, label, imported, server }: EnrolmentRequest): Enrolment {
  let secret: Uint8Array;
  let importCheck: Uint8Array | null = null;
  if (!suite.strict) secret = copyOf(BASEKEY);
  else if (imported === null) secret = createClientSecret();
  else {
    const made = importPsk(nodeCrypto, { suite, clientId: id, ...imported });
    secret = made.secret;
    importCheck = made.check;
  }
  return {
    client: { clientId: id, suite, secret, label, importCheck },
    credential: {
      suite,
      clientId: id,
      epoch: 0 as Epoch,
      secret,
      last: new Uint8Array(LAST_BYTES),
      ...(imported === null ? {} : { service: imported.service }),
      ...(server === null ? {} : { server }),
    },
  };
}

/** `--server`, else the address of `--listen` where a client can use it. */
export function serverOf(flag: string | undefined, { listen }: Settings): string | null {
  if (flag !== undefined) {
    parseAddress(flag);
    return flag;
  }
  const { host, port } = listen;
  return host === "0.0.0.0" || host === "::" || port === 0 ? null : formatAddress({ host, port });
}

/** Where the credential files go: a folder, or one file. @throws UsageError */
export async function credentialPaths(
  output: string | undefined,
  cwd: string,
  ids: readonly ClientId[],
): Promise<string[]> {
  const path = resolve(cwd, output ?? ".");
  const isFolder =
    output === undefined ||
    output.endsWith("/") ||
    (await stat(path).then(
      (status) => status.isDirectory(),
      () => false,
    ));
  if (!isFolder && ids.length > 1) throw new UsageError("-o: with --count expected a folder that exists");
  return ids.map((id) => (isFolder ? join(path, `client-${id}.pawl`) : path));
}

/**
 * Writes every credential file, then does `enrol`; takes the files back where anything fails. The files come first: a
 * crash in between leaves a credential that nobody takes, not a client without one.
 */
export async function writeCredentials(
  made: readonly Enrolment[],
  paths: readonly string[],
  enrol: () => Promise<unknown>,
  onProgress: (done: number) => void = () => {},
): Promise<void> {
  const written: string[] = [];
  try {
    for (const [index, { credential }] of made.entries()) {
      const path = paths[index] ?? "";
      await writeCredentialFile(path, credential);
      written.push(path);
      onProgress(written.length);
    }
    await enrol();
  } catch (error) {
    for (const path of written) await unlink(path).catch(() => {});
    throw error;
  } finally {
    for (const { credential } of made) wipe(credential.secret);
  }
}
