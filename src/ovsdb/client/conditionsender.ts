/**
 * Takes changes of conditions to the server, one request at a time, over any number of sessions. How far one is, is
 * conditions.ts's; where the rows go that come and go with it, follower.ts's.
 */
import { toVsbError, type VsbError } from '../../errors.ts';
import {
  acknowledged,
  initialConditions,
  interrupted,
  newest,
  nextRequest,
  refusedRequest,
  settledAnew,
  takenBack,
  want,
  type ConditionState,
  type Stage,
  type Wheres,
} from './conditions.ts';
import { refused, toConditionRequests, type Limits, type PresentColumns, type Requester } from './monitor.ts';
import { waitForValue, type WaitForOptions } from './waitfor.ts';
import { BehaviorSubject } from './streams.ts';

/** Which versions of the conditions have come to something. */
export interface ConditionProgress {
  /** The one that the replica shows. */
  readonly acked: number;
  /** The last one that a server did not take. */
  readonly refused?: { readonly version: number; readonly reason: VsbError };
}

/** A monitor whose conditions can be changed. */
export interface ConditionalMonitor {
  readonly session: Requester;
  readonly id: string;
  readonly present: PresentColumns;
}

export class ConditionSender {
  readonly #limits: Limits;
  readonly #progress = new BehaviorSubject<ConditionProgress>({ acked: 0 });
  readonly #onFailure: (cause: unknown) => void;
  #state: ConditionState;
  /** What the last copy was under. */
  #shown: Stage | undefined;
  /** `unconditional`: a server that knows no conditions. */
  #monitor: ConditionalMonitor | 'unconditional' | undefined;

  /** @param onFailure hears why a session gives no answer, while it is the present one */
  constructor(wheres: Wheres, limits: Limits, onFailure: (cause: unknown) => void) {
    this.#state = initialConditions(wheres);
    this.#limits = limits;
    this.#onFailure = onFailure;
  }

  /** What the replica shows. */
  get acked(): Wheres {
    return this.#state.acked.wheres;
  }

  /** What answers to requests that are sent now will be under. */
  get inForce(): Wheres {
    if (this.#monitor === 'unconditional') return new Map();
    return (this.#state.requested ?? this.#state.acked).wheres;
  }

  /** Whether a server may or may not have changed them by now. */
  get isUncertain(): boolean {
    return this.#state.requested !== undefined;
  }

  /**
   * Changes what is wanted; resolves when the replica shows it.
   * @throws OVSDB_REQUEST_REFUSED, JSONRPC_UNSENDABLE, and then it is not wanted any more; OVSDB_TIMEOUT, CANCELLED
   */
  async change(changes: Wheres, options: WaitForOptions & { readonly what: string }): Promise<void> {
    this.#state = want(this.#state, changes);
    const { version } = newest(this.#state);
    this.#send();
    const look = ({ acked, refused }: ConditionProgress): true | undefined => {
      if (acked >= version) return true;
      if (refused && refused.version >= version) throw refused.reason;
      return undefined;
    };
    await waitForValue(this.#progress, look, options);
  }

  /** A complete copy will be asked for, under what is wanted by now. */
  startAnew(): void {
    this.#state = settledAnew(this.#state);
  }

  /** The copy is there. */
  shown(): void {
    this.#shown = this.#state.acked;
    this.#tell();
  }

  /**
   * The server refuses the monitor.
   * @returns whether there are older conditions, which a server has taken, to go back to
   */
  takeBack(reason: VsbError): boolean {
    const { version } = this.#state.acked;
    if (!this.#shown || this.#shown.version === version) return false;
    this.#state = takenBack(this.#state, this.#shown);
    this.#tell({ version, reason });
    return true;
  }

  /** The monitor stands: what is wanted meanwhile can be asked for. */
  attach(monitor: ConditionalMonitor | 'unconditional'): void {
    this.#monitor = monitor;
    this.#send();
  }

  /** The monitor is gone. What was asked for is wanted again. */
  detach(): void {
    this.#monitor = undefined;
    this.#state = interrupted(this.#state);
  }

  /** Nobody wants anything any more. */
  end(): void {
    this.#monitor = undefined;
    this.#progress.complete();
  }

  #send(): void {
    const monitor = this.#monitor;
    const next = monitor && nextRequest(this.#state);
    if (!next) return;
    this.#state = next.state;
    const requests = monitor === 'unconditional' ? {} : toConditionRequests(next.tables, monitor.present);
    if (monitor === 'unconditional' || Object.keys(requests).length === 0) {
      this.#acknowledge();
      this.#send();
    } else
      this.#request(monitor, requests).catch((cause: unknown) => {
        if (monitor === this.#monitor) this.#onFailure(cause);
      });
  }

  async #request(monitor: ConditionalMonitor, requests: Readonly<Record<string, unknown>>): Promise<void> {
    const method = 'monitor_cond_change';
    const options = {
      ...this.#limits,
      extendWhileReceiving: true,
      // The rows that come and go with it have been sent before the answer.
      onResult: (): undefined => {
        if (monitor === this.#monitor) this.#acknowledge();
      },
    };
    let problem: VsbError | undefined;
    try {
      const answer = await monitor.session.request(method, [monitor.id, monitor.id, requests], options);
      if (answer.kind === 'lost') throw answer.reason;
      if (answer.kind === 'error') problem = refused(method, answer);
    } catch (cause) {
      // A text that cannot be sent is no fault of the session.
      problem = toVsbError(cause);
      if (problem.code !== 'JSONRPC_UNSENDABLE') throw problem;
    }
    if (monitor !== this.#monitor) return;
    if (problem) {
      const version = this.#state.requested?.version ?? 0;
      this.#state = refusedRequest(this.#state);
      this.#tell({ version, reason: problem });
    }
    this.#send();
  }

  #acknowledge(): void {
    this.#state = acknowledged(this.#state);
    this.#shown = this.#state.acked;
    this.#tell();
  }

  #tell(refused?: ConditionProgress['refused']): void {
    const acked = this.#state.acked.version;
    this.#progress.next(refused ? { acked, refused } : { acked });
  }
}
