/** `vsb matrix`: who sends how much to whom, as a square of VMs. */
import { Option } from 'commander';
import type { MatrixBy } from '../app/matrix.ts';
import type { SettingFlags } from '../app/settings.ts';
import { addSwitchOptions, outputOption, toTimerOption, whereOption } from './options.ts';
import { isColourful, runVerb, writeData, type AddVerb } from './verb.ts';
import { WatchNotices } from './watchnotices.ts';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly by: MatrixBy;
  readonly over: number;
  readonly bridge?: readonly string[];
  readonly where: string;
  readonly output: 'table' | 'json' | 'csv';
};

const ANY_SIZE = { width: undefined, height: undefined } as const;

export const add: AddVerb = (program) => {
  const command = program
    .command('matrix')
    .description('show who sends how much to whom, once, as a square of VMs')
    .addOption(
      new Option('--by <what>', 'what the cells hold: bytes or packets so far, or bit/s')
        .choices(['bytes', 'packets', 'rate'])
        .default('bytes')
        .env('VSB_MATRIX_BY'),
    )
    .addOption(
      new Option('--over <duration>', 'with --by rate: how long to measure')
        .argParser(toTimerOption)
        .default(2000, '2s')
        .env('VSB_MATRIX_OVER'),
    )
    .addOption(new Option('--bridge <names...>', 'only these bridges (default: all)').env('VSB_WATCH_BRIDGE'))
    .addOption(whereOption())
    .addOption(outputOption(['table', 'json', 'csv'], 'table', 'VSB_MATRIX_OUTPUT'))
    .addHelpText(
      'after',
      '\nRows send, columns receive. On a terminal it is as large as fits, those with most traffic first.\n' +
        '\nExamples:\n  vsb matrix\n  vsb matrix --by rate --over 5s\n' +
        "  vsb matrix --where 'from=web* and to=db*'\n  vsb matrix -o csv > matrix.csv\n",
    );
  addSwitchOptions(command).action((flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [app, { toSettings }, output] = await Promise.all([
        import('../app/matrix.ts'),
        import('../app/settings.ts'),
        import('../output/matrix.ts'),
      ]);
      const { view, matrix } = await app.matrix({
        settings: toSettings(flags),
        by: flags.by,
        overMs: flags.over,
        where: flags.where,
        ...(flags.bridge ? { bridges: flags.bridge } : {}),
      });
      new WatchNotices('').tell(view);
      switch (flags.output) {
        case 'json':
          writeData(output.renderMatrixJson(matrix, view.at));
          break;
        case 'csv':
          writeData(output.renderMatrixCsv(matrix));
          break;
        case 'table': {
          const { isTTY, columns, rows } = process.stdout;
          // A terminal that does not know its size says 0.
          const size = isTTY ? { width: columns || undefined, height: rows || undefined } : ANY_SIZE;
          const lines = output.renderMatrixTable(matrix, { ...size, colour: isColourful(process.stdout) });
          writeData(`${lines.join('\n')}\n`);
        }
      }
      return 0;
    }),
  );
};
