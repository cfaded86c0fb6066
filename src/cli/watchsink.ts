/** Where the views of a watch go: one after the other into a pipe or file, or drawn in place on a terminal. */
import type { Observable } from 'rxjs';
import type { SettingFlags } from '../app/settings.ts';
import { toVsbError } from '../errors.ts';
import type { TableOptions } from '../output/columntable.ts';
import { renderFrame } from '../output/watchframe.ts';
import { interruptSignal, isColourful, writeData } from './verb.ts';

export type Format = 'table' | 'ndjson' | 'csv';

/** The flags of every view. */
export type WatchFlags = SettingFlags & {
  readonly logLevel: string;
  readonly every: number;
  readonly for?: number;
  readonly bridge?: readonly string[];
  readonly where: string;
  readonly output: Format;
};

/** How views are written. */
export interface Renderers<View> {
  readonly ndjson: (view: View) => string;
  readonly csvHeader: (view: View) => string;
  readonly csv: (view: View) => string;
  readonly table: (view: View, options: TableOptions) => string[];
}

export interface Sink<View> {
  show(view: View): void;
  /** Something else was written to the terminal. */
  interrupted(): void;
}

/** Shows views until they end by themselves, `end` is called, the user has had enough, or nobody reads on. */
export async function showViews<View>(
  views$: Observable<View>,
  show: (view: View, end: () => void) => void,
): Promise<void> {
  const interrupted = interruptSignal();
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      subscription.unsubscribe();
      resolve();
    };
    const subscription = views$.subscribe({
      next: (view) => {
        show(view, end);
      },
      error: (thrown: unknown) => {
        reject(toVsbError(thrown));
      },
      complete: end,
    });
    interrupted.addEventListener('abort', end, { once: true });
    // `vsb watch … | head`.
    process.stdout.once('error', end);
  });
}

export function createSink<View>(format: Format, renderers: Renderers<View>): Sink<View> {
  switch (format) {
    case 'ndjson':
      return plainSink(renderers.ndjson);
    case 'csv': {
      let isFirst = true;
      return plainSink((view) => {
        const header = isFirst ? renderers.csvHeader(view) : '';
        isFirst = false;
        return header + renderers.csv(view);
      });
    }
    case 'table':
      return process.stdout.isTTY
        ? liveTableSink(renderers)
        : // For a pipe or a file: one table after the other.
          plainSink((view) => `${renderers.table(view, { width: undefined, colour: false }).join('\n')}\n\n`);
  }
}

function plainSink<View>(render: (view: View) => string): Sink<View> {
  return {
    show: (view) => {
      writeData(render(view));
    },
    interrupted: () => undefined,
  };
}

/** For a terminal: every table over the one before, in the size that the terminal has by then. */
function liveTableSink<View>({ table }: Renderers<View>): Sink<View> {
  const colour = isColourful(process.stdout);
  let previousLineCount = 0;
  return {
    show: (view) => {
      // A terminal that does not know its size says 0.
      const width = process.stdout.columns || undefined;
      const height = process.stdout.rows || undefined;
      const frame = renderFrame(table(view, { width, colour }), previousLineCount, height);
      previousLineCount = frame.lineCount;
      writeData(frame.text);
    },
    interrupted: () => {
      previousLineCount = 0;
    },
  };
}
