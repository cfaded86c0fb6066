import { expect } from 'chai';
import { fail, type VsbError } from '../../../../src/errors.ts';
import type { Answer, RequestOptions } from '../../../../src/jsonrpc/session.ts';
import { inOneGo } from '../../../../src/jsonrpc/steps.ts';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import type { Wheres } from '../../../../src/ovsdb/client/conditions.ts';
import { Follower } from '../../../../src/ovsdb/client/follower.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../../../src/ovsdb/generated/vswitch.ts';
import { Counters } from '../../../../src/ovsdb/client/metrics.ts';
import { NO_TRANSACTION } from '../../../../src/ovsdb/client/monitor.ts';
import { RowCodec } from '../../../../src/ovsdb/replica/row.ts';
import { toUuid } from '../../../../src/ovsdb/schema/schema.ts';
import type { DatabaseRow } from '../../../../src/ovsdb/client/serverdb.ts';
import type { Served } from '../../../../src/ovsdb/client/sharedlink.ts';

const HELD = { Queue: ['dscp'] };
const SCHEMA = JSON.stringify({ tables: { Queue: { columns: { dscp: {} } } } });
const LAST = '00000000-0000-4000-8000-0000000000ff';
const ROW = '00000000-0000-4000-8000-000000000001';
const DATABASE: DatabaseRow = {
  _uuid: toUuid('00000000-0000-4000-8000-00000000000a'),
  name: 'Open_vSwitch',
  model: 'clustered',
  connected: true,
  leader: true,
  schema: SCHEMA,
  cid: undefined,
  sid: undefined,
  index: 1n,
};

const LIMITS = { timeoutMs: 10_000, what: 'the change' };

/** A session whose requests are kept, and answered by the test. */
class Script {
  readonly requests: {
    readonly method: string;
    readonly params: readonly unknown[];
    answer(answer: Answer): void;
  }[] = [];

  request(method: string, params: readonly unknown[], options: RequestOptions): Promise<Answer> {
    return new Promise((resolve) => {
      const answer = (given: Answer) => {
        if (given.kind === 'result') {
          const steps = options.onResult?.(given.result);
          if (steps) inOneGo(steps);
        }
        resolve(given);
      };
      this.requests.push({ method, params, answer });
    });
  }

  get last() {
    const request = this.requests.at(-1);
    if (!request) throw new Error('nothing was asked');
    return request;
  }

  /** Answers, and lets who waits for it go on. */
  async result(result: unknown): Promise<void> {
    this.last.answer({ kind: 'result', result });
    await settled();
  }
}

/** Every promise that can go on has. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function start(wheres: Wheres = new Map()) {
  const codec = codecsOf(openVSwitch).get('Queue');
  if (!codec) throw new Error('no table');
  const states: string[] = [];
  const changes: number[] = [];
  const left: VsbError[] = [];
  const follower = new Follower<OpenVSwitchTables>(
    {
      database: 'Open_vSwitch',
      codecs: new Map([['Queue', new RowCodec(codec, HELD.Queue)]]),
      held: HELD,
      wheres,
      isFollowed: true,
      limits: { timeoutMs: 1000 },
      counters: new Counters(),
      log: () => undefined,
    },
    {
      onState: ({ at }) => states.push(at),
      onChanges: (found, isFirst) => {
        if (found && !isFirst) changes.push(found.size);
      },
      leave: (reason) => left.push(reason),
    },
  );
  let monitors = 0;
  const serve = (row: DatabaseRow | undefined = DATABASE): Script => {
    const script = new Script();
    const served: Served = {
      session: script,
      remote: 'unix:x',
      row,
      newMonitorId: () => `m${String((monitors += 1))}`,
      bytesReceived: () => 0,
    };
    follower.serverSays(served);
    return script;
  };
  return { follower, states, changes, left, serve };
}

const copy = (dscp: number) => [false, LAST, { Queue: { [ROW]: { initial: { dscp } } } }];

describe('ovsdb follower', () => {
  it('goes on from the last transaction with the next server, under the same conditions', async () => {
    const { follower, serve, changes, states } = start(new Map([['Queue', [['dscp', '==', 1]]]]));
    const first = serve();
    expect(first.last.method).to.equal('monitor_cond_since');
    expect(first.last.params[3]).to.equal(NO_TRANSACTION);
    await first.result(copy(1));
    follower.linkDown();
    const second = serve();
    expect(second.last.params.slice(1)).to.deep.equal([
      'm2',
      { Queue: [{ columns: ['dscp'], where: [['dscp', '==', 1]] }] },
      LAST,
    ]);
    await second.result([true, LAST, {}]);
    expect(changes).to.deep.equal([]);
    expect(states).to.deep.equal(['synchronising', 'live', 'synchronising', 'live']);
  });

  it('copies all anew where a change of conditions was on its way when the link was lost', async () => {
    const { follower, serve } = start();
    const first = serve();
    await first.result(copy(1));
    let isShown = false;
    const changing = follower.conditions.change(new Map([['Queue', false]]), LIMITS).then(() => {
      isShown = true;
    });
    expect(first.last.method).to.equal('monitor_cond_change');
    expect(first.last.params).to.deep.equal(['m1', 'm1', { Queue: [{ where: [false] }] }]);
    follower.linkDown();
    const second = serve();
    expect(second.last.params.slice(2)).to.deep.equal([
      { Queue: [{ columns: ['dscp'], where: [false] }] },
      NO_TRANSACTION,
    ]);
    await settled();
    expect(isShown).to.equal(false);
    await second.result([false, LAST, {}]);
    await changing;
    expect(second.requests).to.have.length(1);
    expect(follower.replica.tables.get('Queue')?.size).to.equal(0);
  });

  it('copies all anew from a server that has columns which the one before had not', async () => {
    const { follower, serve } = start();
    const older = JSON.stringify({ tables: { Queue: { columns: {} } } });
    await serve({ ...DATABASE, schema: older }).result([false, LAST, { Queue: { [ROW]: { initial: {} } } }]);
    expect(follower.missing).to.deep.equal(['Queue.dscp']);
    follower.linkDown();
    expect(serve().last.params[3]).to.equal(NO_TRANSACTION);
    expect(follower.missing).to.deep.equal([]);
  });

  it('copies all anew after updates that do not fit', async () => {
    const { follower, serve } = start();
    await serve().result(copy(1));
    const unknown = { Queue: { [LAST]: { modify: { dscp: 2 } } } };
    const update = { id: 'm1', updates: unknown, form: 2, isDifference: true, lastTransaction: ROW } as const;
    expect(() => {
      follower.update(update);
    }).to.throw('not there');
    follower.linkDown();
    expect(serve().last.params[3]).to.equal(NO_TRANSACTION);
  });

  it('asks for the schema again when its monitor is canceled, and tells nothing where nothing differs', async () => {
    const { follower, serve, changes, states } = start();
    const script = serve();
    await script.result(copy(1));
    follower.canceled('another');
    expect(script.requests).to.have.length(1);
    follower.canceled('m1');
    expect(script.last.method).to.equal('get_schema');
    await script.result(JSON.parse(SCHEMA));
    expect(script.last.params.slice(1, 2)).to.deep.equal(['m2']);
    expect(script.last.params[3]).to.equal(NO_TRANSACTION);
    await script.result(copy(1));
    expect(changes).to.deep.equal([]);
    expect(states.at(-1)).to.equal('live');
    follower.update({ id: 'm1', updates: {}, form: 2, isDifference: true, lastTransaction: ROW });
    follower.update({
      id: 'm2',
      updates: { Queue: { [ROW]: { modify: { dscp: 3 } } } },
      form: 2,
      isDifference: true,
      lastTransaction: ROW,
    });
    expect(changes).to.deep.equal([1]);
  });

  it('waits where the server refuses, until the database is another one', async () => {
    const { serve, states, left } = start();
    const script = serve();
    script.last.answer({ kind: 'error', text: 'syntax error', error: { error: 'syntax error' } });
    await settled();
    expect(states).to.deep.equal(['synchronising', 'waiting']);
    expect(serve({ ...DATABASE, index: 2n }).requests).to.have.length(0);
    const other = serve({ ...DATABASE, schema: `${SCHEMA} ` });
    expect(other.last.method).to.equal('get_schema');
    expect(left).to.deep.equal([]);
  });

  it('asks anew where the schema was converted while it asked', async () => {
    const { serve, states } = start();
    const script = serve();
    expect(script.last.method).to.equal('monitor_cond_since');
    // The server tells of the conversion, and then refuses what is not there any more.
    const converted = serve({ ...DATABASE, schema: `${SCHEMA} ` });
    script.last.answer({ kind: 'error', text: 'syntax error', error: { error: 'syntax error' } });
    await settled();
    expect(converted.last.method).to.equal('get_schema');
    await converted.result(JSON.parse(SCHEMA));
    converted.last.answer({ kind: 'error', text: 'syntax error', error: { error: 'syntax error' } });
    await settled();
    expect(states).to.deep.equal(['synchronising', 'synchronising', 'waiting']);
  });

  it('sees a database that came back while it was finding out that it went', async () => {
    const { follower, serve, states } = start();
    const script = serve();
    await script.result(copy(1));
    follower.canceled('m1');
    script.last.answer({ kind: 'error', text: 'unknown database', error: 'unknown database' });
    // The server's next message, in the same chunk.
    const again = serve({ ...DATABASE, _uuid: toUuid(LAST) });
    await settled();
    await script.result(['_Server']);
    expect(states.at(-1)).to.equal('synchronising');
    expect(again.last.method).to.equal('get_schema');
  });

  it('leaves a session that gives no answer', async () => {
    const { serve, left } = start();
    const script = serve();
    script.last.answer({ kind: 'lost', reason: fail('OVSDB_TIMEOUT', { what: 'x', limitMs: 1 }) });
    await settled();
    expect(left).to.have.length(1);
  });
});
