import { writeSpecification } from "./specification.ts";

writeSpecification();
