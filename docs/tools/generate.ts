import { DOCUMENTS } from "./documents.ts";
import { writeDocument } from "./markers.ts";

for (const document of Object.values(DOCUMENTS)) writeDocument(document);
