/**
 * Runs a transcript of the reconnect state machine, in the manner of Open vSwitch's tests/reconnect.at: commands stand at
 * the left, what they bring about is indented below them. Comments (`#`) and empty lines are kept.
 *
 *     rules NAME=VALUE…     remotes, passive (0, 1), connect, download, probe, least, most; before all else
 *     run                   what is due now
 *     advance MS            time passes
 *     timeout               time passes until something may be due
 *     EVENT                 see ReconnectEvent: what happened
 */
import {
  BACKOFF,
  due,
  next,
  NOT_STARTED,
  PROBE_INTERVAL_MS,
  wakeAtMs,
  type ReconnectEvent,
  type ReconnectRules,
  type ReconnectState,
} from '../../../src/jsonrpc/reconnect.ts';

const EVENTS: readonly ReconnectEvent[] = [
  ...(['start', 'stop', 'connecting', 'listening', 'connected', 'lost'] as const),
  ...(['received', 'keptAlive', 'read', 'probed', 'settled', 'leave'] as const),
];

/** The transcript as it comes out, of the commands in one. */
export function perform(transcript: string): string {
  const lines = transcript.split('\n').filter((line) => !line.startsWith('  ') && !line.startsWith('=== '));
  let rules = readRules('');
  let now = 1000;
  let state = NOT_STARTED;
  const out: string[] = [];
  const pass = (milliseconds: number) => {
    now += milliseconds;
    out.push(`=== t=${String(now)}`);
  };
  for (const line of lines) {
    out.push(line);
    const [command = '', argument = ''] = line.split(' ');
    if (command === '' || command === '#') continue;
    if (command === 'rules') rules = readRules(line);
    else if (command === 'advance') pass(Number(argument));
    else if (command === 'timeout') {
      const wakeMs = wakeAtMs(state, rules);
      if (wakeMs === undefined) out.push('  never');
      else {
        out.push(`  after ${String(Math.max(wakeMs - now, 0))} ms`);
        pass(Math.max(wakeMs - now, 0));
      }
    } else if (command === 'run') {
      const what = due(state, now, rules);
      if (what) out.push(`  should ${what.do}${what.do === 'disconnect' ? `: ${what.because}` : ''}`);
    } else {
      const event = EVENTS.find((each) => each === command);
      if (!event) throw new Error(`no command: ${line}`);
      const before = render(state);
      state = next(state, event, now, rules);
      if (render(state) !== before) out.push(`  ${render(state)}`);
    }
  }
  return out.join('\n');
}

function readRules(line: string): ReconnectRules {
  const given = new Map(
    [...line.matchAll(/(\w+)=(\d+)/g)].map(([, name = '', value]) => [name, Number(value)] as const),
  );
  return {
    remotes: given.get('remotes') ?? 1,
    isPassive: given.get('passive') === 1,
    connectTimeoutMs: given.get('connect') ?? 3000,
    downloadTimeoutMs: given.get('download') ?? 30_000,
    probeIntervalMs: given.get('probe') ?? PROBE_INTERVAL_MS,
    backoff: { leastMs: given.get('least') ?? BACKOFF.leastMs, mostMs: given.get('most') ?? BACKOFF.mostMs },
  };
}

function render({ phase, backoffMs, freeTries }: ReconnectState): string {
  const tries = `pause ${String(backoffMs)}, free tries ${String(freeTries)}`;
  switch (phase.at) {
    case 'void':
      return 'void';
    case 'backoff':
      return `backoff until ${String(phase.untilMs)} (${tries})`;
    case 'connecting':
      return `connecting since ${String(phase.sinceMs)} (${tries})`;
    case 'listening':
      return `listening (${tries})`;
    case 'active':
      return `active, ${renderUp(phase.up)}`;
    case 'idle':
      return `idle since ${String(phase.probedMs)}, ${renderUp(phase.up)}`;
    case 'reconnect':
      return phase.up ? `to be left, ${renderUp(phase.up)}` : 'to be left';
  }
}

function renderUp(up: {
  readonly sinceMs: number;
  readonly receivedMs: number;
  readonly progressMs: number;
  readonly isSettled: boolean;
}): string {
  const { sinceMs, receivedMs, progressMs, isSettled } = up;
  const settled = isSettled ? ', settled' : '';
  return `up since ${String(sinceMs)}, heard at ${String(receivedMs)}, progress at ${String(progressMs)}${settled}`;
}
