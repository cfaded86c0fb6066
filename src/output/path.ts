/** Paths as text and as data. Pure. The graph is graph.ts's. */
import type { Path, Step } from '../path/path.ts';
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { toPrintable } from '../units/printable.ts';
import { paint, type Paint } from './paint.ts';

/** Each NIC's way in one line, then what is to be said of its steps. */
export function renderPaths(paths: readonly Path[], options: { readonly colour: boolean }): string {
  const draw = paint(options.colour);
  return paths.map((path) => renderPath(path, draw)).join('\n');
}

/** The paths as data; what is not known is left out. */
export function toPathsDocument(paths: readonly Path[]): Readonly<Record<string, unknown>> {
  return { formatVersion: FORMAT_VERSION, paths };
}

/** A step in words: `br0 (netdev; port 3, access 10)`. */
function words({ kind, name, detail, via }: Step): string {
  const what = kind === 'tap' || kind === 'macvtap' || kind === 'vhost-user' ? `${kind} ` : '';
  const notes = [detail, via].filter((note) => note !== undefined).join('; ');
  return toPrintable(`${what}${name}${notes === '' ? '' : ` (${notes})`}`);
}

function renderPath({ vm, nic, pid, steps, uplinks }: Path, draw: Paint): string {
  const shown = (each: Step): string =>
    each.problem === undefined ? words(each) : draw('red', `${words(each)} ✗`);
  const head = `${draw('bold', toPrintable(`${vm}:${String(nic)}`))} ${draw('dim', `pid ${String(pid)}`)}`;
  const way = [...steps.map(shown), ...(uplinks.length > 0 ? [uplinks.map(shown).join(' | ')] : [])];
  const notes = [...steps, ...uplinks].flatMap(({ name, problem, remarks }) => [
    ...(problem === undefined ? [] : [draw('red', `error: ${toPrintable(`${name}: ${problem}`)}`)]),
    ...remarks.map(({ what, remedy }) => draw('yellow', toPrintable(`${name}: ${what}; ${remedy}`))),
  ]);
  const endsHere = steps.at(-1)?.kind === 'bridge' && uplinks.length === 0;
  const end = endsHere ? [draw('dim', 'no uplink: this bridge leads nowhere but to its own ports')] : [];
  return `${[`${head}  ${way.join(' → ')}`, ...[...notes, ...end].map((note) => `  ${note}`)].join('\n')}\n`;
}
