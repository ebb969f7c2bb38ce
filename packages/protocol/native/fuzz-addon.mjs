/** The addon with any arguments in any order, for the sanitizers: `node fuzz-addon.mjs <addon> [rounds [seed]]`. */
import { createRequire } from "node:module";

const [, , path, rounds = "200000", seed = "1"] = process.argv;
const { RecordChain, sha256, hmacSha256, cbcEncrypt, cbcDecrypt, gcmSeal, gcmOpen } = createRequire(
  import.meta.url,
)(path);

let state = Number(seed);
function drawn(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}
const oneOf = (values) => values[drawn(values.length)];

function detached() {
  const bytes = new Uint8Array(80);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** Views that begin anywhere in their memory, and end where it ends. */
function view() {
  const length = oneOf([0, 1, 16, 31, 32, 33, 79, 80, 84, 96, 100, drawn(300)]);
  const memory = new Uint8Array(length + drawn(9));
  for (let i = 0; i < memory.length; i++) memory[i] = drawn(256);
  return memory.subarray(memory.length - length);
}

const strange = [
  undefined,
  null,
  0,
  -1,
  2 ** 32,
  Number.NaN,
  "text",
  {},
  detached(),
  new Float64Array(8),
  new DataView(new ArrayBuffer(80)),
  Symbol(),
  1n,
];
const anything = () => (drawn(4) > 0 ? view() : oneOf(strange));
const sizedOr = (length) => (drawn(4) > 0 ? new Uint8Array(length).fill(drawn(256)) : anything());
const counts = () => (drawn(4) > 0 ? drawn(300) : oneOf(strange));
const chains = [];

const calls = [
  () => chains.push(new RecordChain(oneOf([2, 3, 2, 3, ...strange]), anything())) > 50 && chains.shift(),
  () => oneOf(chains)?.seal(anything(), counts(), counts(), anything(), counts(), oneOf([1, 2, ...strange])),
  () => oneOf(chains)?.open(anything(), anything(), counts()),
  () => drawn(50) === 0 && oneOf(chains)?.wipe(),
  () => sha256(...Array.from({ length: drawn(11) }, anything)),
  () => hmacSha256(...Array.from({ length: drawn(11) }, anything)),
  () => oneOf([cbcEncrypt, cbcDecrypt])(anything(), sizedOr(16), sizedOr(16), anything()),
  () => gcmSeal(anything(), sizedOr(32), sizedOr(12), anything(), anything()),
  () => gcmOpen(anything(), sizedOr(32), sizedOr(12), anything(), anything(), sizedOr(16)),
  () =>
    RecordChain.prototype[oneOf(["seal", "open", "wipe"])].call(
      oneOf([{}, undefined, ...strange]),
      view(),
      view(),
    ),
  () => exchange(),
  () => exchangeGcm(),
];

/** What is sealed is opened. */
function exchange() {
  const [suite, around] = oneOf([
    [2, 64],
    [3, 44],
  ]);
  const secret = view();
  if (secret.length !== 32) return;
  const message = view();
  const text = message.length + 1 + drawn(20);
  const room = suite === 2 ? (Math.floor(text / 16) + 1) * 16 : text;
  const [at, length] = [drawn(20), 4 + around + room];
  const memory = new Uint8Array(at + length);
  memory[at + 5] = 30;
  // In memory of its own, or where it lies.
  const packet = memory.subarray(at + 4);
  const [plaintext, start] = drawn(2)
    ? [new Uint8Array(at + room), at]
    : [packet, 16 + (suite === 2 ? 16 : 12)];
  const kind = 1 + drawn(2);
  if (new RecordChain(suite, secret).seal(memory, at, length, message, text, kind) !== 0)
    throw new Error("not sealed");
  const opened = new RecordChain(suite, secret).open(packet, plaintext, start);
  if (opened !== 2 * message.length + kind - 1) throw new Error(`opened to ${opened}`);
  if (Buffer.compare(plaintext.subarray(start, start + message.length), message) !== 0)
    throw new Error("another message");
}

/** What is sealed is opened, until a bit of its tag is another; then nothing of it is left. */
function exchangeGcm() {
  const [key, iv, associated, plaintext] = [
    new Uint8Array(32).fill(drawn(256)),
    new Uint8Array(12),
    view(),
    view(),
  ];
  const sealed = new Uint8Array(plaintext.length + 16);
  if (gcmSeal(sealed, key, iv, associated, plaintext) !== 0) throw new Error("not sealed");
  const [ciphertext, tag] = [sealed.subarray(0, plaintext.length), sealed.subarray(plaintext.length)];
  const opened = new Uint8Array(plaintext.length);
  if (gcmOpen(opened, key, iv, associated, ciphertext, tag) !== 0) throw new Error("not opened");
  if (Buffer.compare(opened, plaintext) !== 0) throw new Error("another plaintext");
  tag[drawn(16)] ^= 1 << drawn(8);
  if (gcmOpen(opened, key, iv, associated, ciphertext, tag) !== -1) throw new Error("a wrong tag was taken");
  if (opened.some((byte) => byte !== 0)) throw new Error("a plaintext was left");
}

let refused = 0;
for (let round = 0; round < Number(rounds); round++) {
  try {
    oneOf(calls)();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refused++;
  }
}
if (refused === 0) throw new Error("nothing was refused");
process.stdout.write(`${rounds} calls, ${refused} of them TypeErrors\n`);
