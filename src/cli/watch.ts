/** `vsb watch`: per-VM traffic as a live table, NDJSON or CSV. Flags, the terminal and the end; the rest is app/watch.ts. */
import { Argument, InvalidArgumentError, Option } from 'commander';
import type { Observable } from 'rxjs';
import type { SettingFlags } from '../app/settings.ts';
import type { View, ViewName } from '../app/watch.ts';
import { toVsbError } from '../errors.ts';
import { addSwitchOptions, outputOption, toDurationOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData, type AddVerb } from './verb.ts';
import { WatchNotices } from './watchnotices.ts';

type Format = 'table' | 'ndjson' | 'csv';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly every: number;
  readonly for?: number;
  readonly bridge?: readonly string[];
  readonly output: Format;
};

/** What a timer of Node can wait: 2^31 - 1 ms; it takes longer times for 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;
/** The reading of the last tick of `--for` is still on its way when the time is over. */
const LAST_READING_MS = 100;

export const add: AddVerb = (program) => {
  const command = program
    .command('watch')
    .description('show what ports and VMs send and receive, and who sends to whom, live')
    .addArgument(
      new Argument(
        '<view>',
        'ports: every port of every bridge; vms: NICs grouped by VM; pairs: who sends to whom',
      ).choices(['ports', 'vms', 'pairs']),
    )
    .addOption(
      new Option('--every <duration>', 'time from one view to the next')
        .argParser(toTimerOption)
        .default(1000, '1s')
        .env('VSB_WATCH_EVERY'),
    )
    .addOption(
      new Option('--for <duration>', 'end after this time (default: never)')
        .argParser(toTimerOption)
        .env('VSB_WATCH_FOR'),
    )
    .addOption(new Option('--bridge <names...>', 'only these bridges (default: all)').env('VSB_WATCH_BRIDGE'))
    .addOption(outputOption(['table', 'ndjson', 'csv'], 'table', 'VSB_WATCH_OUTPUT'))
    .addHelpText(
      'after',
      '\nSent and received are seen from the VM. What is not known is "-", or left out. Fields: docs/watch.md.\n' +
        '\nExamples:\n  vsb watch vms\n  vsb watch pairs\n' +
        '  vsb watch ports --bridge br0 --every 500ms --for 10s -o csv > ports.csv\n' +
        '  vsb watch vms -o ndjson | jq \'select(.kind == "vm") | [.vm, .sentBitsPerSecond]\'\n',
    );
  addSwitchOptions(command).action((view: ViewName, flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [{ watch }, { toSettings }, sink] = await Promise.all([
        import('../app/watch.ts'),
        import('../app/settings.ts'),
        createSink(flags.output),
      ]);
      const views$ = watch({
        settings: toSettings(flags),
        view,
        everyMs: flags.every,
        ...(flags.bridge ? { bridges: flags.bridge } : {}),
      });
      await showUntilEnd(views$, flags, sink);
      return 0;
    }),
  );
};

/** Shows views until the time is over or the user has had enough. */
async function showUntilEnd(views$: Observable<View>, flags: Flags, sink: Sink): Promise<void> {
  const interrupted = interruptSignal();
  const notices = new WatchNotices();
  await new Promise<void>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      subscription.unsubscribe();
      resolve();
    };
    const subscription = views$.subscribe({
      next: (view) => {
        if (notices.tell(view)) sink.interrupted();
        sink.show(view);
        if (flags.for !== undefined)
          timer ??= setTimeout(end, flags.for + Math.min(flags.every / 2, LAST_READING_MS));
      },
      error: (thrown: unknown) => {
        clearTimeout(timer);
        reject(toVsbError(thrown));
      },
      complete: end,
    });
    interrupted.addEventListener('abort', end, { once: true });
    // Nobody reads on: `vsb watch … | head`.
    process.stdout.once('error', end);
  });
}

/** Where views go. */
interface Sink {
  show(view: View): void;
  /** Something else was written to the terminal. */
  interrupted(): void;
}

async function createSink(format: Format): Promise<Sink> {
  switch (format) {
    case 'ndjson': {
      const { renderWatchNdjson } = await import('../output/watchndjson.ts');
      return plainSink(renderWatchNdjson);
    }
    case 'csv': {
      const { renderWatchCsv, watchCsvHeader } = await import('../output/watchcsv.ts');
      let isFirst = true;
      return plainSink((view) => {
        const header = isFirst ? watchCsvHeader(view.view) : '';
        isFirst = false;
        return header + renderWatchCsv(view);
      });
    }
    case 'table':
      return process.stdout.isTTY ? liveTableSink() : plainTableSink();
  }
}

function plainSink(render: (view: View) => string): Sink {
  return {
    show: (view) => {
      writeData(render(view));
    },
    interrupted: () => undefined,
  };
}

/** For a pipe or a file: one table after the other. */
async function plainTableSink(): Promise<Sink> {
  const { renderWatchTable } = await import('../output/watchtable.ts');
  return plainSink((view) => `${renderWatchTable(view, { width: undefined, colour: false }).join('\n')}\n\n`);
}

/** For a terminal: every table over the one before, in the size that the terminal has by then. */
async function liveTableSink(): Promise<Sink> {
  const [{ renderWatchTable }, { renderFrame }] = await Promise.all([
    import('../output/watchtable.ts'),
    import('../output/watchframe.ts'),
  ]);
  const colour = isColourful(process.stdout);
  let previousLineCount = 0;
  return {
    show: (view) => {
      // A terminal that does not know its size says 0.
      const width = process.stdout.columns || undefined;
      const height = process.stdout.rows || undefined;
      const frame = renderFrame(renderWatchTable(view, { width, colour }), previousLineCount, height);
      previousLineCount = frame.lineCount;
      writeData(frame.text);
    },
    interrupted: () => {
      previousLineCount = 0;
    },
  };
}

function toTimerOption(text: string): number {
  const ms = toDurationOption(text);
  if (ms > LONGEST_TIMER_MS) throw new InvalidArgumentError('Write at most 24d.');
  return ms;
}
