import { Socket, type SocketConstructorOpts, type TcpSocketConnectOpts } from "node:net";

/** What one read can take: as much as Node.js asks the kernel for. */
const READ_BYTES = 64 * 1_024;

/**
 * All sockets of a process read into this memory, one after the other. Otherwise Node.js sets new memory aside for each read and
 * takes it through a stream, which costs as much as to authenticate and decrypt a short packet. Nothing but what came over the
 * network ever lies here.
 */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * That is what the option `onread` of `net.connect` is for. The sockets of a server heed it too, but nothing gives it to them:
 * so where a socket keeps it is found out, by what lies there.
 */
interface OnReadSlots {
  readonly buffer: symbol;
  readonly callback: symbol;
}

const slots = findSlots();

/** Null where this Node.js keeps it elsewhere. */
function findSlots(): OnReadSlots | null {
  const callback = () => true;
  const options: SocketConstructorOpts & Pick<TcpSocketConnectOpts, "onread"> = {
    onread: { buffer: shared, callback },
  };
  const socket = new Socket(options);
  const holding = (what: unknown) =>
    Object.getOwnPropertySymbols(socket).filter((symbol) => Reflect.get(socket, symbol) === what);
  const [[bufferSlot, ...otherBuffers], [callbackSlot, ...otherCallbacks]] = [
    holding(shared),
    holding(callback),
  ];
  if (bufferSlot === undefined || callbackSlot === undefined) return null;
  if (otherBuffers.length + otherCallbacks.length > 0) return null;
  return { buffer: bufferSlot, callback: callbackSlot };
}

/** The part of a socket's handle that is meant here. */
interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Gives `take` what the socket reads from now on, as its event `data` would: chunk by chunk, each in memory of its own, and none
 * while the socket is paused. Where that can't be had for less, it is the event.
 */
export function onChunk(socket: Socket, take: (chunk: Buffer) => void): void {
  const handle = handleOf(socket);
  // What is buffered already would be left behind.
  if (slots === null || handle === null || socket.readableLength > 0) {
    socket.on("data", take);
    return;
  }
  Reflect.set(socket, slots.buffer, shared);
  Reflect.set(socket, slots.callback, (length: number) => {
    const chunk = Buffer.allocUnsafe(length);
    shared.copy(chunk, 0, 0, length);
    take(chunk);
  });
  handle.useUserBuffer(shared);
  // A socket that was paused reads into its stream all the same; from now on it has to stop.
  if (socket.isPaused()) socket.pause();
  else socket.resume();
}

/** Null unless it is a plain, connected socket of this Node.js. */
function handleOf(socket: Socket): Handle | null {
  if (Object.getPrototypeOf(socket) !== Socket.prototype || socket.connecting) return null;
  const handle: Partial<Handle> | null | undefined = Reflect.get(socket, "_handle");
  return typeof handle?.useUserBuffer === "function" ? (handle as Handle) : null;
}
