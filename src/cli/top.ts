/** `vsb top`: who talks to whom, live. Flags and the two ways to show it; what is on a screen is output/top's. */
import { Argument, Option } from 'commander';
import type { BehaviorSubject, Observable } from 'rxjs';
import type { SettingFlags } from '../app/settings.ts';
import { toVsbError } from '../errors.ts';
import type { Screen } from '../output/top/screen.ts';
import type { TopReading, TopSnapshot } from '../output/top/snapshot.ts';
import type { Scope, TopView } from '../output/top/place.ts';
import type { TopState } from '../output/top/state.ts';
import { addSwitchOptions, toTimerOption, whereOption } from './options.ts';
import { interruptSignal, isColourful, runVerb, writeData, type AddVerb } from './verb.ts';

type Flags = SettingFlags & {
  readonly logLevel: string;
  readonly every: number;
  readonly for?: number;
  readonly bridge?: readonly string[];
  readonly where: string;
};

/** Where snapshots are shown. */
interface Sink extends Disposable {
  show(snapshot: TopSnapshot): void;
}

/** Makes the sink; it calls `ended` where the person has had enough. */
type MakeSink = (ended: () => void) => Promise<Sink>;

export const add: AddVerb = (program) => {
  const command = program
    .command('top')
    .description('show who talks to whom, live: VMs, their pairs, their conversations')
    .addArgument(
      new Argument('[view]', 'where to begin').choices(['vms', 'pairs', 'conversations']).default('vms'),
    )
    .addOption(
      new Option('--every <duration>', 'time from one reading to the next')
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
    .addOption(whereOption())
    .addHelpText(
      'after',
      '\nKeys: ? shows them all. Where stdout or stdin is no terminal, tables are printed one after the other.\n' +
        '\nExamples:\n  vsb top\n' +
        "  vsb top pairs --where 'vm=web* and rate > 1M'\n" +
        '  vsb top vms --for 10s | tee top.txt\n',
    );
  addSwitchOptions(command).action((view: TopView, flags: Flags) =>
    runVerb(flags.logLevel, async () => {
      const [{ BehaviorSubject }, { top }, { toSettings }, { initialTopState }, { checkFilter }] =
        await Promise.all([
          import('rxjs'),
          import('../app/top.ts'),
          import('../app/settings.ts'),
          import('../output/top/state.ts'),
          import('../output/top/filterline.ts'),
        ]);
      checkFilter(flags.where, view);
      const state = initialTopState(view, flags.where.trim());
      const isLive = process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb';
      const lookingAt$ = new BehaviorSubject<Scope | undefined>(undefined);
      const readings$ = top({
        lookingAt$,
        // Lines of the log would stand in the middle of the screen; what matters of them is on it.
        settings: toSettings(isLive && flags.logLevel === 'warn' ? { ...flags, logLevel: 'error' } : flags),
        everyMs: flags.every,
        ...(flags.bridge ? { bridges: flags.bridge } : {}),
      });
      await showUntilEnd(readings$, flags.for, isLive ? onTerminal(state, lookingAt$) : asText(state));
      return 0;
    }),
  );
};

/** Apart: in a function that has `using`, tsc leaves the endings of imported files as they are. */
const loadSnapshots = () => import('../output/top/snapshot.ts');

/** Shows readings until the time is over, the person has had enough, or there are no more. */
async function showUntilEnd(
  readings$: Observable<TopReading>,
  forMs: number | undefined,
  makeSink: MakeSink,
): Promise<void> {
  const interrupted = interruptSignal();
  const { TopSnapshots } = await loadSnapshots();
  const snapshots = new TopSnapshots();
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  using sink = await makeSink(end);
  await new Promise<void>((resolve, reject) => {
    const timer = forMs === undefined ? undefined : setTimeout(end, forMs);
    const subscription = readings$.subscribe({
      next: (reading) => {
        sink.show(snapshots.next(reading));
      },
      error: (thrown: unknown) => {
        clearTimeout(timer);
        reject(toVsbError(thrown));
      },
      complete: resolve,
    });
    stop.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      subscription.unsubscribe();
      resolve();
    });
    interrupted.addEventListener('abort', end, { once: true });
    // A terminal that is closed, and `vsb top | head`.
    process.once('SIGHUP', end);
    process.stdout.once('error', end);
  });
}

/** For a pipe or a file: one table after the other. */
function asText(state: TopState): MakeSink {
  return async () => {
    const { renderTopPlain } = await import('../output/top/plain.ts');
    return {
      show: (snapshot) => {
        writeData(renderTopPlain(snapshot, state));
      },
      [Symbol.dispose]: () => undefined,
    };
  };
}

/** The whole terminal, with keys. */
function onTerminal(initial: TopState, lookingAt$: BehaviorSubject<Scope | undefined>): MakeSink {
  return async (ended) => {
    const [{ FullScreen }, { renderTopScreen }, { placeOf, press }, { toKeys }] = await Promise.all([
      import('./fullscreen.ts'),
      import('../output/top/screen.ts'),
      import('../output/top/state.ts'),
      import('../output/top/keys.ts'),
    ]);
    const colour = isColourful(process.stdout);
    let state = initial;
    let latest: TopSnapshot | undefined;
    let shown: TopSnapshot | undefined;
    const render = (): Screen => {
      if (!state.isPaused) shown = latest;
      return renderTopScreen(shown, state, { ...screen.size, colour });
    };
    const draw = (): void => {
      screen.draw(render());
    };
    const screen = new FullScreen(process.stdin, process.stdout, {
      typed: (input) => {
        for (const key of toKeys(input)) state = press(state, key, render().shown);
        lookingAt$.next(state.isLookingDeep ? placeOf(state).scope : undefined);
        if (state.hasQuit) ended();
        else draw();
      },
      redraw: draw,
      ended,
    });
    draw();
    return {
      show: (snapshot) => {
        latest = snapshot;
        draw();
      },
      [Symbol.dispose]: () => {
        screen[Symbol.dispose]();
      },
    };
  };
}
