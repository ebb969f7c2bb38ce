import type { BenchConnection } from "../targets/target.ts";
import { WrongAnswerError } from "./measurement.ts";

/** A message of one connection, with a number of its own each time, so that no earlier answer is taken for its own. */
export class EchoProbe {
  readonly #connection: BenchConnection;
  readonly #message: Uint8Array;
  readonly #view: DataView;
  #count = 0;

  /** @param size bytes, at least 8 */
  constructor(connection: BenchConnection, index: number, size: number) {
    this.#connection = connection;
    this.#message = Uint8Array.from({ length: size }, (_, at) => at);
    this.#view = new DataView(this.#message.buffer);
    this.#view.setUint32(4, index);
  }

  /** @throws WrongAnswerError where a byte of the answer is another */
  async roundTrip(): Promise<void> {
    this.#view.setUint32(0, ++this.#count);
    const answer = await this.#connection.roundTrip(this.#message);
    if (Buffer.compare(answer, this.#message) !== 0) throw new WrongAnswerError();
  }
}

/** Opens connections, so many at a time, each with its first reply, until `enough` says so. */
export async function open(
  dial: () => Promise<BenchConnection>,
  inFlight: number,
  enough: (opened: number) => boolean,
): Promise<BenchConnection[]> {
  const opened: BenchConnection[] = [];
  let begun = 0;
  const lane = async () => {
    while (!enough(begun)) {
      const index = begun++;
      const connection = await dial();
      opened.push(connection);
      await new EchoProbe(connection, index, FIRST_MESSAGE_BYTES).roundTrip();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return opened;
}

const FIRST_MESSAGE_BYTES = 64;
