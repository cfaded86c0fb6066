/**
 * Metrics as text: the format of Prometheus, version 0.0.4, and OpenMetrics 1.0
 * (prometheus.io/docs/instrumenting/exposition_formats). Knows no metric; those are metrics.ts's. Pure.
 */
import type { Counter } from '../units/counter.ts';

/** What is said of a metric once, whatever number of series it has. */
export interface MetricDefinition<Label extends string> {
  /** A counter's ends in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** One sentence, with the unit. */
  readonly help: string;
  /** In the order in which they are printed. */
  readonly labels: readonly Label[];
}

/** Values of labels; one that is left out, empty or unknown is not printed, which is the same to Prometheus. */
export type Labels<Label extends string> = Readonly<Partial<Record<Label, string | undefined>>>;

export type MetricFormat = 'prometheus' | 'openmetrics';

/** One line of the text. Whoever changes its value often keeps it: its name and labels are made into text once. */
export class Series {
  /** The end of the line before, name and labels, and the space before the value. */
  readonly start: string;
  /** `undefined`: not known, so not in the text. */
  value: Counter | number;

  constructor(start: string) {
    this.start = start;
  }
}

/** A metric and its series. */
export class MetricFamily<Label extends string = string> {
  readonly definition: MetricDefinition<Label>;
  readonly #series = new Map<string, Series>();

  constructor(definition: MetricDefinition<Label>) {
    this.definition = definition;
  }

  /** The series with these labels: there is one of them only, since Prometheus refuses a text with two. */
  series(labels: Labels<Label>): Series {
    const start = renderStart(this.definition, labels);
    let series = this.#series.get(start);
    if (!series) this.#series.set(start, (series = new Series(start)));
    return series;
  }

  /** Gives the series with these labels a value. */
  set(labels: Labels<Label>, value: Counter | number): void {
    this.series(labels).value = value;
  }

  remove(series: Series): void {
    this.#series.delete(series.start);
  }

  clear(): void {
    this.#series.clear();
  }

  /** With head; empty where no series has a value. */
  render(format: MetricFormat): string {
    let lines = '';
    // Two pieces a line and no third for its end: with 80,000 lines it is the number of pieces that takes the time.
    for (const { start, value } of this.#series.values())
      if (value !== undefined) lines += start + renderValue(value);
    return lines === '' ? '' : `${renderHead(this.definition, format)}${lines}\n`;
  }
}

/** The whole text, complete with its last newline. */
export function renderMetrics(families: readonly MetricFamily[], format: MetricFormat): string {
  let text = '';
  // Added up, as in the families: V8 joins the pieces once, when the whole is written, and joining them here would cost
  // half of the time of a large page.
  for (const family of families) text += family.render(format);
  return format === 'openmetrics' ? `${text}# EOF\n` : text;
}

/** OpenMetrics names a counter without the `_total` that its lines have (OpenMetrics 1.0, "Counter"). */
function renderHead({ name, type, help }: MetricDefinition<string>, format: MetricFormat): string {
  const named = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  const escape = format === 'openmetrics' ? escapeText : escapeHelp;
  return `# HELP ${named} ${escape(help)}\n# TYPE ${named} ${type}`;
}

function renderStart<Label extends string>(
  { name, labels: order }: MetricDefinition<Label>,
  labels: Labels<Label>,
): string {
  const known = order.flatMap((label) => {
    const value = labels[label];
    return value === undefined || value === '' ? [] : [`${label}="${escapeText(value)}"`];
  });
  return known.length === 0 ? `\n${name} ` : `\n${name}{${known.join(',')}} `;
}

/** Go's `strconv.ParseFloat` reads numbers as JavaScript writes them, but for the infinite ones. */
function renderValue(value: bigint | number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escapeText(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
