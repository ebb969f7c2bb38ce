import { type BytePart, compareFrames, type FoldedParts, foldParts, windowOf } from "./bytes.ts";
import { type Html, html } from "./html.ts";
import type { PacketRow } from "./rows.ts";
import { plural } from "./text.ts";

/** A frame that was altered, part by part: what came, and below it what went on, where that differs. */
export function byteStrip({ frame, change }: PacketRow): Html | null {
  if (change === null) return null;
  const parts = compareFrames(change.before, change.after);
  const altered = parts.reduce((sum, { changed }) => sum + changed.length, 0);
  const boxes = foldParts(parts).map((part) => ("parts" in part ? foldedBox(part) : box(part)));
  return html`<figure class="bytes"><figcaption>Frame ${frame} byte by byte:
${plural(altered, "byte")} of ${change.before.length} ${altered === 1 ? "is" : "are"} not as sent.
<del>Struck out</del>: as it came. <ins>Framed</ins>: as it went on.</figcaption><ol>${boxes}</ol></figure>`;
}

function foldedBox({ first, last, bytes }: FoldedParts): Html {
  return html`<li class="folded"><span class="name">${first} … ${last}</span>
<code>${plural(bytes, "byte")}, unchanged</code></li>`;
}

function box(part: BytePart): Html {
  const shown = windowOf(part);
  const altered = part.changed.length > 0;
  return html`<li class="${altered ? "changed" : "same"}"><span class="name">${part.name}</span>
<code>${hexOf(part.before, part, shown, "del")}</code>
${altered && html`<code>${hexOf(part.after, part, shown, "ins")}</code>`}</li>`;
}

/** Bytes that differ side by side are marked as one. */
function hexOf(
  bytes: Uint8Array,
  { changed }: BytePart,
  shown: readonly (number | null)[],
  mark: "del" | "ins",
): Html[] {
  const differs = new Set(changed);
  const runs: { differ: boolean; hex: string[] }[] = [];
  for (const index of shown) {
    // One frame may be shorter than the other.
    const hex = index === null ? "…" : (bytes[index]?.toString(16).padStart(2, "0") ?? "··");
    const differ = index !== null && differs.has(index);
    const run = runs.at(-1);
    if (run?.differ === differ) run.hex.push(hex);
    else runs.push({ differ, hex: [hex] });
  }
  return runs.map(({ differ, hex }, place) => {
    const gap = place > 0 && " ";
    const text = hex.join(" ");
    if (!differ) return html`${gap}${text}`;
    return mark === "del" ? html`${gap}<del>${text}</del>` : html`${gap}<ins>${text}</ins>`;
  });
}
