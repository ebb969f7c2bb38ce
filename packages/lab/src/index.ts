/** @pawl/lab: the man in the middle. What is not exported here is not public. */
export {
  createProxy,
  type FrameProxy,
  flipBit,
  type ObservedFrame,
  type ProxiedConnection,
  type ProxyOptions,
  type Verdict,
} from "./proxy.ts";
