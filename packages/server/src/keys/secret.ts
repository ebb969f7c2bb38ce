import { SECRET_BYTES } from "@pawl/protocol";
import { type Random, systemRandom } from "@pawl/protocol/driver";

/** `E_0` of a new client: 32 random bytes (section 4.2). The caller overwrites it after use. */
export function createClientSecret(random: Random = systemRandom): Uint8Array {
  return random(SECRET_BYTES);
}
