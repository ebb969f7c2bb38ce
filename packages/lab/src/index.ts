/** @pawl/lab: the man in the middle. What is not exported here is not public. */
export {
  createProxy,
  flipBit,
  type ObservedFrame,
  type ProxiedConnection,
  type Proxy,
  type ProxyOptions,
  type Verdict,
} from "./proxy.ts";
