import { isIPv6 } from "node:net";

/**
 * Whom a limit for each address counts: an IPv4 address, or the /64 of an IPv6 one, since a single host has as many
 * addresses as it likes within that.
 */
export function limitKey(remoteAddress: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress)?.[1];
  if (mapped !== undefined) return mapped;
  const [address = ""] = remoteAddress.split("%");
  if (!isIPv6(address)) return remoteAddress;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const behind = tail === "" ? [] : tail.split(":");
    while (groups.length + behind.length < 8) groups.push("0");
    groups.push(...behind);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
