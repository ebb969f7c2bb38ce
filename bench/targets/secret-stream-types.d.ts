/** What the bench uses of @hyperswarm/secret-stream, which has no types. */
declare module "@hyperswarm/secret-stream" {
  import type { Socket } from "node:net";

  export interface KeyPair {
    readonly publicKey: Uint8Array;
    readonly secretKey: Uint8Array;
  }

  export default class SecretStream {
    static keyPair(): KeyPair;
    constructor(isInitiator: boolean, socket: Socket, options: { readonly keyPair: KeyPair });
    /** False where the handshake failed. */
    readonly opened: Promise<boolean>;
    on(event: "data", listener: (message: Uint8Array) => void): this;
    on(event: "close", listener: () => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    write(message: Uint8Array): boolean;
    destroy(): void;
  }
}
