/** What a power cut leaves of a folder, after the calls that were made: what was synced stays, the rest as it pleases. */

/** A call that has returned. Inodes are numbers; names are those within the folder. */
export type DiskCall = ContentCall | NameCall | { readonly type: "sync-folder" };

type ContentCall =
  | { readonly type: "write"; readonly inode: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly type: "truncate"; readonly inode: number; readonly length: number }
  | { readonly type: "sync"; readonly inode: number };

type NameCall =
  | { readonly type: "name"; readonly inode: number; readonly name: string }
  | { readonly type: "rename"; readonly inode: number; readonly from: string; readonly to: string }
  | { readonly type: "unlink"; readonly name: string };

/** Name → content. */
export type Disk = ReadonlyMap<string, Uint8Array>;

interface Durable<State, Call> {
  state: State;
  /** Made since the last sync. */
  pending: Call[];
}

/** Every disk that may be found after the power was cut behind the last of `calls`. */
export function* disksAfterCut(initial: Disk, calls: readonly DiskCall[]): Generator<Disk> {
  const contents = new Map<number, Durable<Uint8Array, Exclude<ContentCall, { type: "sync" }>>>();
  const names: Durable<ReadonlyMap<string, number>, NameCall> = { state: new Map(), pending: [] };
  const contentOf = (inode: number) => {
    const content = contents.get(inode) ?? { state: new Uint8Array(), pending: [] };
    contents.set(inode, content);
    return content;
  };
  // Files that were there have the negative inodes, in the order of `initial`; see `Recorder`.
  for (const [index, [name, bytes]] of [...initial].entries()) {
    const inode = -1 - index;
    contents.set(inode, { state: bytes, pending: [] });
    names.state = new Map([...names.state, [name, inode]]);
  }
  for (const call of calls) {
    switch (call.type) {
      case "write":
      case "truncate":
        contentOf(call.inode).pending.push(call);
        break;
      case "sync": {
        const content = contentOf(call.inode);
        for (const one of content.pending) content.state = applyContent(content.state, one);
        content.pending = [];
        break;
      }
      case "sync-folder":
        for (const one of names.pending) names.state = applyName(names.state, one);
        names.pending = [];
        break;
      default:
        names.pending.push(call);
    }
  }
  for (const chosen of subsets(names.pending)) {
    const named = [...chosen.reduce(applyName, names.state)];
    const choices = named.map(([, inode]) => contentsAfterCut(contentOf(inode)));
    for (const chosenContents of combinations(choices)) {
      yield new Map(named.map(([name], index) => [name, chosenContents[index] ?? new Uint8Array()]));
    }
  }
}

/** Each change that was not synced: lost or done; a write also in half, or as its length alone. */
function contentsAfterCut({ state, pending }: Durable<Uint8Array, Exclude<ContentCall, { type: "sync" }>>) {
  let found = [state];
  for (const call of pending) {
    const variants =
      call.type === "truncate"
        ? [call]
        : [
            call,
            { ...call, bytes: call.bytes.subarray(0, call.bytes.length >> 1) },
            { ...call, bytes: new Uint8Array(call.bytes.length) },
          ];
    found = found.flatMap((before) => [before, ...variants.map((variant) => applyContent(before, variant))]);
  }
  return found;
}

function applyContent(state: Uint8Array, call: Exclude<ContentCall, { type: "sync" }>): Uint8Array {
  const length = call.type === "truncate" ? call.length : Math.max(state.length, call.at + call.bytes.length);
  const after = new Uint8Array(length);
  after.set(state.subarray(0, length));
  if (call.type === "write") after.set(call.bytes, call.at);
  return after;
}

function applyName(state: ReadonlyMap<string, number>, call: NameCall): ReadonlyMap<string, number> {
  const after = new Map(state);
  if (call.type === "unlink") after.delete(call.name);
  else if (call.type === "name") after.set(call.name, call.inode);
  else {
    if (after.get(call.from) === call.inode) after.delete(call.from);
    after.set(call.to, call.inode);
  }
  return after;
}

/** In their order. */
function subsets<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>((all, item) => all.flatMap((some) => [some, [...some, item]]), [[]]);
}

function combinations<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>(
    (all, choice) => all.flatMap((some) => choice.map((one) => [...some, one])),
    [[]],
  );
}
