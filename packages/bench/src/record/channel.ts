/** One or more directions of sessions after their handshake, both ends of them, to be sealed into and opened from in turn. */
export interface Channel {
  /** The frame, length and all. */
  seal(message: Uint8Array): Uint8Array;
  /** The packet of a frame that has been on its way: in memory that `open` may take over. */
  carry(frame: Uint8Array): Uint8Array;
  /** The message of the next packet. @throws where it is not that packet */
  open(packet: Uint8Array): Uint8Array;
}
