/**
 * Runs the reconnect state machine by the clock: asks it what is due after each event and when its time has come, and has
 * its owner (link.ts) do it.
 */
import {
  due,
  next,
  NOT_STARTED,
  wakeAtMs,
  type Due,
  type ReconnectEvent,
  type ReconnectRules,
  type ReconnectState,
} from './reconnect.ts';
import { LONGEST_TIMER_MS } from './timers.ts';

/** What an owner does. */
export type Act = Exclude<Due, { readonly do: 'read' }>;

/** The owner ends it with the event `stop`. */
export class Driver {
  readonly #rules: ReconnectRules;
  readonly #act: (what: Act) => void;
  #state: ReconnectState = NOT_STARTED;
  #isActing = false;
  #alarm: { readonly atMs: number; readonly timer: NodeJS.Timeout } | undefined;
  #reading: NodeJS.Immediate | undefined;

  /** @param act does what is due, and notes what came of it */
  constructor(rules: ReconnectRules, act: (what: Act) => void) {
    this.#rules = rules;
    this.#act = act;
  }

  /** The last pause. */
  get backoffMs(): number {
    return this.#state.backoffMs;
  }

  /** How long the present pause still lasts; 0 where there is none. */
  get pauseMs(): number {
    const { phase } = this.#state;
    return phase.at === 'backoff' ? Math.max(0, Math.round(phase.untilMs - performance.now())) : 0;
  }

  /** Notes an event; what is due is done by the next `run`. */
  note(event: ReconnectEvent): void {
    this.#state = next(this.#state, event, performance.now(), this.#rules);
  }

  /** Notes an event, and has done what is due. */
  tell(event: ReconnectEvent): void {
    this.note(event);
    this.run();
  }

  /** Has done what is due. What comes to be due by an act is done after it, never inside of it. */
  run(): void {
    if (this.#isActing) return;
    this.#isActing = true;
    try {
      for (;;) {
        const what = due(this.#state, performance.now(), this.#rules);
        if (!what) break;
        if (what.do === 'read') {
          this.#letRead();
          break;
        }
        this.#act(what);
      }
    } finally {
      this.#isActing = false;
      this.#setAlarm();
    }
  }

  /** Node runs timers before it reads, and immediates after: what has arrived comes in between. */
  #letRead(): void {
    this.#reading ??= setImmediate(() => {
      this.#reading = undefined;
      this.tell('read');
    });
  }

  #setAlarm(): void {
    const wakeMs = this.#reading ? undefined : wakeAtMs(this.#state, this.#rules);
    // One that rings too early looks again by itself: cheaper than a new one for every chunk.
    if (this.#alarm && wakeMs !== undefined && this.#alarm.atMs <= wakeMs) return;
    clearTimeout(this.#alarm?.timer);
    this.#alarm = undefined;
    if (wakeMs === undefined) return;
    const ring = () => {
      this.#alarm = undefined;
      this.run();
    };
    const inMs = Math.max(0, Math.ceil(wakeMs - performance.now()));
    // What is further off is looked at again on the way.
    const timer = setTimeout(ring, Math.min(inMs, LONGEST_TIMER_MS));
    this.#alarm = { atMs: wakeMs, timer };
  }
}
