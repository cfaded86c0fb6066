/** `vsb schema`: the JSON Schema of topology files, for editors. */
import type { Command } from 'commander';
import { addCommonOptions } from './options.ts';
import { runVerb, writeData } from './verb.ts';

export function add(program: Command): void {
  addCommonOptions(
    program
      .command('schema')
      .summary('the JSON Schema of topology files')
      .description(
        'Prints the JSON Schema (draft 2020-12) of topology files, with which editors complete and explain keys.',
      ),
  )
    .addHelpText(
      'after',
      `
Example:
  vsb schema > vsb.schema.json
  # and as the first line of a topology, for editors with the YAML language server:
  # yaml-language-server: $schema=vsb.schema.json`,
    )
    .action((flags: { readonly logLevel: string }) =>
      runVerb(flags.logLevel, async () => {
        const { topologyJsonSchema } = await import('../app/validate.ts');
        writeData(`${JSON.stringify(topologyJsonSchema(), undefined, 2)}\n`);
        return 0;
      }),
    );
}
