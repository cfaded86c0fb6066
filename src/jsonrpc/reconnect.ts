/**
 * When to connect, to probe, to give a link up and to try again (after Open vSwitch's lib/reconnect.c): a pure state
 * machine. It is told what happened (`next`), says what is to be done (`due`) and when to ask again (`wakeAtMs`); time
 * is an argument, in monotonic milliseconds. Who connects, waits and sends is link.ts.
 *
 * Beyond Open vSwitch's: a limit for the first copy of the data, free tries again after a link that stayed up, and
 * keep-alive traffic that shows a living peer but is no progress.
 */

/** What does not change while it runs. */
export interface ReconnectRules {
  /** How many remotes there are: so many tries come without a pause. */
  readonly remotes: number;
  /** The peer calls us. */
  readonly isPassive: boolean;
  /** For one try to connect. */
  readonly connectTimeoutMs: number;
  /** From connected to settled; starts anew with whatever is received, keep-alive excepted. */
  readonly downloadTimeoutMs: number;
  /** Silence before a probe, and again before a peer that does not answer it is given up; 0: never. */
  readonly probeIntervalMs: number;
  readonly backoff: BackoffLimits;
}

/** The pause before a try: the least, doubling up to the most. A link that stayed up for the most has a good name again. */
export interface BackoffLimits {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Open vSwitch's own: from 1 to 8 seconds (lib/reconnect.h), so that a restarted server is found soon, unharassed. */
export const BACKOFF: BackoffLimits = Object.freeze({ leastMs: 1000, mostMs: 8000 });

/** Open vSwitch's own (lib/reconnect.h), and what ovsdb-server does to us. */
export const PROBE_INTERVAL_MS = 5000;

/** The machine at one moment. */
export interface ReconnectState {
  readonly phase: Phase;
  /** The last pause; doubles. */
  readonly backoffMs: number;
  /** Tries that need no pause. */
  readonly freeTries: number;
  /** When what had arrived was last read: a limit that passed later is no proof of a silent peer. */
  readonly readMs: number;
}

/** Where it stands. */
export type Phase =
  | { readonly at: 'void' }
  | { readonly at: 'backoff'; readonly untilMs: number }
  | { readonly at: 'connecting'; readonly sinceMs: number }
  | { readonly at: 'listening' }
  | { readonly at: 'active'; readonly up: Up }
  /** A probe is out. */
  | { readonly at: 'idle'; readonly up: Up; readonly probedMs: number }
  /** It is to be left. */
  | { readonly at: 'reconnect'; readonly up: Up | undefined };

/** A link that stands. */
interface Up {
  readonly sinceMs: number;
  /** When something came, or it began. */
  readonly receivedMs: number;
  /** When something came that was not keep-alive, or it began. */
  readonly progressMs: number;
  readonly isSettled: boolean;
}

/** What happened. `lost`: also a try that failed. `keptAlive`: nothing but echo came. `read`: what had arrived was read. */
export type ReconnectEvent =
  | 'start'
  | 'stop'
  | 'connecting'
  | 'listening'
  | 'connected'
  | 'lost'
  | 'received'
  | 'keptAlive'
  | 'read'
  | 'probed'
  | 'settled'
  | 'leave';

/** What is to be done; `next` is told when it is done. `read`: what may have arrived meanwhile, before any judgement. */
export type Due =
  | { readonly do: 'connect' }
  | { readonly do: 'read' }
  | { readonly do: 'probe' }
  | {
      readonly do: 'disconnect';
      readonly because: 'connect-limit' | 'download-limit' | 'no-answer' | 'asked';
    };

/** Before the start. */
export const NOT_STARTED: ReconnectState = Object.freeze<ReconnectState>({
  phase: { at: 'void' },
  backoffMs: 0,
  freeTries: 0,
  readMs: 0,
});

/** The machine after an event; the same object where the event says nothing in this phase. */
export function next(
  state: ReconnectState,
  event: ReconnectEvent,
  nowMs: number,
  rules: ReconnectRules,
): ReconnectState {
  const { phase } = state;
  if ((phase.at === 'void') !== (event === 'start')) return event === 'stop' ? NOT_STARTED : state;
  switch (event) {
    case 'start':
      return {
        phase: { at: 'backoff', untilMs: nowMs },
        backoffMs: 0,
        freeTries: rules.remotes,
        readMs: nowMs,
      };
    case 'stop':
      return NOT_STARTED;
    case 'connecting':
      return tried(state, { at: 'connecting', sinceMs: nowMs });
    case 'listening':
      return tried(state, { at: 'listening' });
    case 'connected': {
      const up = { sinceMs: nowMs, receivedMs: nowMs, progressMs: nowMs, isSettled: false };
      return { ...state, phase: { at: 'active', up } };
    }
    case 'lost':
      return phase.at === 'backoff' ? state : afterLoss(state, nowMs, rules);
    case 'received':
      return ifUp(state, nowMs, (up) => ({ ...up, receivedMs: nowMs, progressMs: nowMs }));
    case 'keptAlive':
      return ifUp(state, nowMs, (up) => ({ ...up, receivedMs: nowMs }));
    case 'read':
      return { ...state, readMs: nowMs };
    case 'probed':
      return phase.at === 'active'
        ? { ...state, phase: { at: 'idle', up: phase.up, probedMs: nowMs } }
        : state;
    case 'settled':
      return phase.at === 'active' || phase.at === 'idle'
        ? { ...state, phase: { ...phase, up: { ...phase.up, isSettled: true } } }
        : state;
    case 'leave':
      if (phase.at === 'connecting') return { ...state, phase: { at: 'reconnect', up: undefined } };
      return phase.at === 'active' || phase.at === 'idle'
        ? { ...state, phase: { at: 'reconnect', up: phase.up } }
        : state;
  }
}

/** What is to be done now, if anything. */
export function due(state: ReconnectState, nowMs: number, rules: ReconnectRules): Due | undefined {
  const limit = limitOf(state, rules);
  if (!limit || nowMs < limit.atMs) return undefined;
  // After a stall of ours the clock runs ahead of what the peer has long sent.
  if (limit.judgesPeer && state.readMs < limit.atMs) return { do: 'read' };
  return limit.then;
}

/** When `due` may have something next, unless an event comes before; `undefined`: never. */
export function wakeAtMs(state: ReconnectState, rules: ReconnectRules): number | undefined {
  return limitOf(state, rules)?.atMs;
}

interface Limit {
  readonly atMs: number;
  readonly then: Due;
  readonly judgesPeer: boolean;
}

function limitOf({ phase }: ReconnectState, rules: ReconnectRules): Limit | undefined {
  switch (phase.at) {
    case 'void':
    case 'listening':
      return undefined;
    case 'backoff':
      return { atMs: phase.untilMs, then: { do: 'connect' }, judgesPeer: false };
    case 'connecting':
      return {
        atMs: phase.sinceMs + rules.connectTimeoutMs,
        then: { do: 'disconnect', because: 'connect-limit' },
        judgesPeer: true,
      };
    case 'active':
      return earlier(downloadLimit(phase.up, rules), probeLimit(phase.up.receivedMs, { do: 'probe' }, rules));
    case 'idle':
      return earlier(
        downloadLimit(phase.up, rules),
        probeLimit(phase.probedMs, { do: 'disconnect', because: 'no-answer' }, rules),
      );
    case 'reconnect':
      return { atMs: -Infinity, then: { do: 'disconnect', because: 'asked' }, judgesPeer: false };
  }
}

function downloadLimit(up: Up, rules: ReconnectRules): Limit | undefined {
  if (up.isSettled) return undefined;
  const then: Due = { do: 'disconnect', because: 'download-limit' };
  return { atMs: up.progressMs + rules.downloadTimeoutMs, then, judgesPeer: true };
}

function probeLimit(sinceMs: number, then: Due, rules: ReconnectRules): Limit | undefined {
  return rules.probeIntervalMs === 0
    ? undefined
    : { atMs: sinceMs + rules.probeIntervalMs, then, judgesPeer: true };
}

function earlier(a: Limit | undefined, b: Limit | undefined): Limit | undefined {
  return a && b ? (a.atMs <= b.atMs ? a : b) : (a ?? b);
}

/** Something came: whoever sent it lives, and its input was read. */
function ifUp(state: ReconnectState, nowMs: number, change: (up: Up) => Up): ReconnectState {
  const { phase } = state;
  if (phase.at !== 'active' && phase.at !== 'idle') return state;
  return { ...state, readMs: nowMs, phase: { at: 'active', up: change(phase.up) } };
}

function tried(state: ReconnectState, phase: Phase): ReconnectState {
  return { ...state, phase, freeTries: Math.max(state.freeTries - 1, 0) };
}

function afterLoss(state: ReconnectState, nowMs: number, rules: ReconnectRules): ReconnectState {
  const { phase } = state;
  const { leastMs, mostMs } = rules.backoff;
  const up = 'up' in phase ? phase.up : undefined;
  const retry = (pauseMs: number, freeTries: number): ReconnectState => ({
    ...state,
    phase: { at: 'backoff', untilMs: nowMs + pauseMs },
    backoffMs: pauseMs,
    freeTries,
  });
  // Whoever calls us has its own patience; all we do is listen on.
  if (rules.isPassive && up) return retry(0, 0);
  // A peer that left its probe without an answer was last alive when it last sent something.
  const aliveMs = phase.at === 'idle' ? phase.up.receivedMs : nowMs;
  const stayedMs = up?.isSettled === true ? aliveMs - up.sinceMs : 0;
  if (stayedMs >= mostMs) return retry(0, rules.remotes);
  if (state.freeTries > 0) return retry(0, state.freeTries);
  if (up?.isSettled === true && stayedMs >= state.backoffMs) return retry(leastMs, 0);
  return retry(state.backoffMs < leastMs ? leastMs : Math.min(state.backoffMs * 2, mostMs), 0);
}
