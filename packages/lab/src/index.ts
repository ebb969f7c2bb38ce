/** @pawl/lab: the man in the middle, and the attacks. What is not exported here is not public. */
export * from "./mitm/index.ts";
