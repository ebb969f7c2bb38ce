import {
  type ClientId,
  clientId,
  type Epoch,
  epoch,
  LAST_BYTES,
  SECRET_BYTES,
  SUITES,
  type Suite,
  suiteByName,
} from "@pawl/protocol";
import { CredentialFormatError } from "./errors.ts";

/** What a client knows: PRODUCT "credential file". */
export interface Credential {
  readonly suite: Suite;
  readonly clientId: ClientId;
  /** 0 in classic. */
  readonly epoch: Epoch;
  /** `E_epoch`, 32 bytes; in classic the base key. The holder overwrites it after use. */
  readonly secret: Uint8Array;
  /** 16 bytes; zeros where the client did not come to this epoch by a session. */
  readonly last: Uint8Array;
  /** Names the server, for an imported pre-shared key. */
  readonly service?: string;
  /** Where to connect unless told. */
  readonly server?: string;
}

/** The file as JSON has it. Members that this version does not know are kept. */
export interface CredentialJson {
  pawl: 1;
  suite: string;
  service?: string;
  clientId: number;
  epoch: number;
  key: string;
  last?: string;
  server?: string;
  [other: string]: unknown;
}

const BASE64URL = /^[A-Za-z0-9_-]*$/;

/**
 * @param path for messages
 * @throws CredentialFormatError that names the field and what was expected; it never quotes a value
 */
export function parseCredential(
  text: string,
  path: string | null,
): { json: CredentialJson; credential: Credential } {
  const fail = (message: string): never => {
    throw new CredentialFormatError(path, message);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message would quote the file.
    return fail("is no JSON; it may be damaged, ask the operator to reissue it");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return fail("is no credential");
  const json = parsed as Record<string, unknown>;
  if (json.pawl !== 1) return fail('"pawl" is not 1: no credential, or one of a later version');
  const suite = typeof json.suite === "string" ? suiteByName(json.suite) : undefined;
  if (suite === undefined) return fail(`"suite" is none of ${SUITES.map(({ name }) => name).join(", ")}`);
  const number = <T>(field: string, brand: (n: number) => T): T => {
    try {
      return brand(typeof json[field] === "number" ? json[field] : Number.NaN);
    } catch (error) {
      return fail(`"${field}": ${error instanceof Error ? error.message : "wrong"}`);
    }
  };
  const bytes = (field: string, length: number | null): Uint8Array => {
    const value = json[field];
    if (typeof value !== "string" || !BASE64URL.test(value)) return fail(`"${field}" is no base64url`);
    const decoded = new Uint8Array(Buffer.from(value, "base64url"));
    if (length !== null && decoded.length !== length)
      return fail(`"${field}" has ${decoded.length} bytes, not ${length}`);
    return decoded;
  };
  const text_ = (field: string): Record<string, string> => {
    const value = json[field];
    if (value === undefined) return {};
    return typeof value === "string" ? { [field]: value } : fail(`"${field}" is no text`);
  };
  const id = number("clientId", clientId);
  const at = number("epoch", epoch);
  if (!suite.strict && at !== 0) return fail('"epoch" is 0 in classic');
  const credential: Credential = {
    suite,
    clientId: id,
    epoch: at,
    secret: bytes("key", suite.strict ? SECRET_BYTES : null),
    last: json.last === undefined ? new Uint8Array(LAST_BYTES) : bytes("last", LAST_BYTES),
    ...text_("service"),
    ...text_("server"),
  };
  return { json: parsed as CredentialJson, credential };
}

/** One line of JSON, with a line feed. @param others members to keep beside the known ones */
export function serializeCredential(credential: Credential, others: Record<string, unknown> = {}): string {
  const { suite, service, clientId, epoch, secret, last, server } = credential;
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const json: CredentialJson = {
    pawl: 1,
    suite: suite.name,
    ...(service === undefined ? {} : { service }),
    clientId,
    epoch,
    key: base64url(secret),
    ...(suite.strict ? { last: base64url(last) } : {}),
    ...(server === undefined ? {} : { server }),
  };
  const known = new Set(["pawl", "suite", "service", "clientId", "epoch", "key", "last", "server"]);
  const kept = Object.fromEntries(Object.entries(others).filter(([name]) => !known.has(name)));
  return `${JSON.stringify({ ...json, ...kept })}\n`;
}
