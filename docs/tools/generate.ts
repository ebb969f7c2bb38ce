import { writeSpecification } from "./state-tables.ts";

writeSpecification();
