import { readme } from "./readme.ts";
import { security } from "./security.ts";
import { specification } from "./specification.ts";

/** Every document with parts that are made from the code (`npm run docs`). */
export const DOCUMENTS = {
  "README.md": readme,
  "docs/PROTOCOL.md": specification,
  "docs/SECURITY.md": security,
};
