/** The command line from the sources, as its own process. */
import { main } from "../../src/cli/main.ts";

await main(process.argv.slice(2));
