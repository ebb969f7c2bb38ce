import { buildOnce } from "./build.ts";

/** Processes and threads that tests start run from the build; it is brought up to date once. */
export default buildOnce;
