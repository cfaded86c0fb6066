/** `vsb validate FILE…`: every issue of topology files, with line and column; touches nothing. */
import type { Command } from 'commander';
import { addCommonOptions, outputOption } from './options.ts';
import { runVerb, writeData, writeError } from './verb.ts';

interface ValidateFlags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly logLevel: string;
}

/** EX_CONFIG of sysexits.h, as of every issue of a topology. */
const INVALID = 78;

export function add(program: Command): void {
  addCommonOptions(
    program
      .command('validate')
      .summary('check topology files')
      .description(
        'Checks topology files and reports every issue as FILE:LINE:COL: error[CODE]: what, and what to do.',
      )
      .argument('<file...>', 'topology files'),
  )
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText(
      'after',
      `
Exit status: 0 all files are well; 1 a file cannot be read; 78 a file has issues.

Example:
  vsb validate topologies/*.vsb.yaml
  vsb validate -o json site.vsb.yaml | jq -r '.files[].issues[].code'`,
    )
    .action((files: readonly string[], flags: ValidateFlags) =>
      runVerb(flags.logLevel, async () => {
        const { renderReport, toReportDocument, validateFile } = await import('../app/validate.ts');
        const reports = await Promise.all(files.map(validateFile));
        if (flags.output === 'table') {
          for (const report of reports) {
            const write = report.ok
              ? (line: string): void => {
                  writeData(`${line}\n`);
                }
              : writeError;
            renderReport(report).forEach(write);
          }
        } else {
          const { renderDocument } = await import('../output/document.ts');
          writeData(renderDocument(toReportDocument(reports), flags.output));
        }
        return reports.every((report) => report.ok) ? 0 : INVALID;
      }),
    );
}
