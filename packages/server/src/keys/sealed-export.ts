import { scrypt } from "node:crypto";
import { clientId, copyOf, epoch, nodeCrypto, SUITES, suiteByName, utf8, wipe } from "@pawl/protocol";
import { type Random, systemRandom } from "@pawl/protocol/driver";
import { z } from "zod";
import { StoreError } from "./errors.ts";
import type { ExportedClient } from "./store.ts";
import { checkSecret } from "./stored-client.ts";

/**
 * Clients with their secrets as one file that a passphrase opens: scrypt (RFC 7914) to a key, AES-256-GCM over a JSON
 * text, the file's own head as associated data. For moving clients to another database and for keeping them in a safe;
 * who has it and the passphrase has every client, and can read what they send from there on (section 4.6).
 */

/** 128 MiB and about half a second to try one passphrase. */
const SCRYPT = { n: 2 ** 17, r: 8, p: 1 } as const;
/** What a file may ask for, so that a hostile one cannot take the machine. */
const MOST_SCRYPT_N = 2 ** 20;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A passphrase that a person chose has to hold against who has the file and time. */
export const MIN_PASSPHRASE = 12;

export interface ExportContents {
  /** Of the database that it came from. */
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly exportedAt: number;
  readonly clients: readonly ExportedClient[];
}

/** Overwrites the secrets. @returns one line of JSON @throws StoreError for a passphrase under 12 characters */
export async function sealExport(
  { service, exportedAt, clients }: ExportContents,
  passphrase: string,
  random: Random = systemRandom,
): Promise<string> {
  if (passphrase.length < MIN_PASSPHRASE) {
    throw new StoreError(`a passphrase for an export has at least ${MIN_PASSPHRASE} characters`);
  }
  const plaintext = utf8(JSON.stringify({ service, exportedAt, clients: clients.map(clientToJson) }));
  for (const { secret } of clients) wipe(secret);
  const salt = random(SALT_BYTES);
  const nonce = random(NONCE_BYTES);
  const head = {
    pawlExport: 1 as const,
    kdf: { name: "scrypt" as const, ...SCRYPT, salt: base64url(salt) },
    cipher: "aes-256-gcm" as const,
    nonce: base64url(nonce),
  };
  const key = await keyOf(passphrase, salt, head.kdf);
  const { ciphertext, tag } = nodeCrypto.gcmSeal(key, nonce, utf8(JSON.stringify(head)), plaintext);
  wipe(key, plaintext);
  return `${JSON.stringify({ ...head, sealed: base64url(Buffer.concat([ciphertext, tag])) })}\n`;
}

/**
 * The caller overwrites the secrets.
 * @param where names the file in messages
 * @throws StoreError: none, of a later version, another passphrase, altered; it quotes nothing
 */
export async function openExport(text: string, passphrase: string, where: string): Promise<ExportContents> {
  const { sealed, ...head } = parse(FILE, text, `${where} is no export of Pawl, or one of a later version`);
  const bytes = Buffer.from(sealed, "base64url");
  const key = await keyOf(passphrase, Buffer.from(head.kdf.salt, "base64url"), head.kdf);
  const tagAt = bytes.length - TAG_BYTES;
  const plaintext =
    tagAt < 0
      ? null
      : nodeCrypto.gcmOpen(
          key,
          Buffer.from(head.nonce, "base64url"),
          utf8(JSON.stringify(head)),
          bytes.subarray(0, tagAt),
          bytes.subarray(tagAt),
        );
  wipe(key);
  if (plaintext === null) throw new StoreError(`${where}: another passphrase, or the file was altered`);
  const contents = parse(CONTENTS, new TextDecoder().decode(plaintext), `${where} is damaged`);
  wipe(plaintext);
  return { ...contents, clients: contents.clients.map((client) => clientFromJson(client, where)) };
}

const BASE64URL = z.string().regex(/^[A-Za-z0-9_-]*$/);
const TIME = z.int().nonnegative();

// The order of the members is that in which they are associated data.
const FILE = z.strictObject({
  pawlExport: z.literal(1),
  kdf: z.strictObject({
    name: z.literal("scrypt"),
    n: z.int().min(2).max(MOST_SCRYPT_N),
    r: z.int().min(1).max(16),
    p: z.int().min(1).max(4),
    salt: BASE64URL,
  }),
  cipher: z.literal("aes-256-gcm"),
  nonce: BASE64URL.length(NONCE_BYTES * (4 / 3)),
  sealed: BASE64URL,
});

const CLIENT = z.object({
  clientId: z.int(),
  suite: z.enum(SUITES.map(({ name }) => name)),
  epoch: z.int(),
  key: BASE64URL,
  accepted: z.object({ epoch: z.int(), t: BASE64URL }).nullable(),
  label: z.string().nullable(),
  created: TIME,
  moved: TIME,
  lastSeen: TIME.nullable(),
  revoked: z.object({ at: TIME, reason: z.string() }).nullable(),
});
type ClientJson = z.infer<typeof CLIENT>;

const CONTENTS = z.object({ service: z.string(), exportedAt: TIME, clients: z.array(CLIENT) });

function clientToJson({ suite, secret, accepted, ...info }: ExportedClient): ClientJson {
  return {
    ...info,
    suite: suite.name,
    key: base64url(secret),
    accepted: accepted === null ? null : { epoch: accepted.epoch, t: base64url(accepted.t) },
  };
}

function clientFromJson({ key, accepted, ...json }: ClientJson, where: string): ExportedClient {
  try {
    const suite = suiteByName(json.suite);
    if (suite === undefined) throw new Error("an unknown suite");
    const secret = bytesOf(key);
    checkSecret(suite, secret);
    return {
      ...json,
      clientId: clientId(json.clientId),
      suite,
      epoch: epoch(json.epoch),
      secret,
      accepted: accepted === null ? null : { epoch: epoch(accepted.epoch), t: bytesOf(accepted.t) },
    };
  } catch (cause) {
    throw new StoreError(`${where} is damaged: client ${json.clientId}`, { cause });
  }
}

function parse<T>(schema: z.ZodType<T>, text: string, message: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw new StoreError(message);
  }
  const result = schema.safeParse(json);
  if (!result.success) throw new StoreError(message);
  return result.data;
}

function keyOf(
  passphrase: string,
  salt: Uint8Array,
  { n, r, p }: { readonly n: number; readonly r: number; readonly p: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 256 * n * r };
    // NFKC: the same passphrase from another keyboard is the same bytes.
    scrypt(passphrase.normalize("NFKC"), salt, 32, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(new StoreError(`the passphrase cannot be tried: ${error.message}`, { cause: error }));
    });
  });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}

function bytesOf(text: string): Uint8Array {
  return copyOf(Buffer.from(text, "base64url"));
}
