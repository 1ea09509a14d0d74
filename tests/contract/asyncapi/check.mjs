// Prints what the reference parser finds wrong in a document: "severity path message" a line.
import { readFile } from "node:fs/promises";
import parsing from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "info", "hint"];

const parser = new parsing.Parser();
const { document, diagnostics } = await parser.parse(await readFile(process.argv[2], "utf8"));
for (const { severity, path, message } of diagnostics) {
  console.log(`${SEVERITIES[severity]} ${path.join(".")} ${message}`);
}
console.log(document ? `understood ${document.allMessages().length} messages` : "not understood");
