import { expect } from 'chai';
import fc from 'fast-check';
import { VsbError } from '../../../../src/errors.ts';
import { codecsOf } from '../../../../src/ovsdb/replica/codecs.ts';
import {
  acknowledged,
  encodeConditions,
  initialConditions,
  interrupted,
  newest,
  nextRequest,
  refusedRequest,
  settledAnew,
  toWire,
  want,
  type ConditionState,
  type Where,
} from '../../../../src/ovsdb/client/conditions.ts';
import { openVSwitch, type OpenVSwitchTables } from '../../../../src/ovsdb/generated/vswitch.ts';
import { toUuid } from '../../../../src/ovsdb/schema/schema.ts';

const wheres = (tables: Readonly<Record<string, Where>>) => new Map(Object.entries(tables));
const A: Where = [['name', '==', 'a']];
const B: Where = [['name', '==', 'b']];

describe('ovsdb conditions', () => {
  it('go from wanted over requested to acked', () => {
    const start = initialConditions(wheres({ Port: A }));
    expect(nextRequest(start)).to.equal(undefined);
    const wanting = want(start, wheres({ Port: B, Bridge: false }));
    expect(newest(wanting).version).to.equal(1);
    const sent = nextRequest(wanting);
    expect(sent?.tables).to.deep.equal(wheres({ Port: B, Bridge: false }));
    // While one is on its way the next one waits, and only the newest is sent.
    const state = want(want(sent?.state ?? start, wheres({ Port: A })), wheres({ Port: true }));
    expect(nextRequest(state)).to.equal(undefined);
    const done = acknowledged(state);
    expect(done.acked.version).to.equal(1);
    expect(nextRequest(done)?.tables).to.deep.equal(wheres({ Port: true }));
  });

  it('are the same where nothing else is wanted', () => {
    const start = initialConditions(wheres({ Port: A, Bridge: false }));
    expect(want(start, wheres({ Port: [['name', '==', 'a']] }))).to.equal(start);
    expect(want(start, wheres({ Bridge: [] }))).to.equal(start);
    expect(want(start, wheres({ Queue: true }))).to.equal(start);
  });

  it('ask for nothing where a change was taken back before it was sent', () => {
    const start = initialConditions(wheres({ Port: A }));
    const back = want(want(start, wheres({ Port: B })), wheres({ Port: A }));
    expect(nextRequest(back)?.tables.size).to.equal(0);
  });

  it('are wanted again when the link is lost on their way', () => {
    const start = initialConditions(wheres({ Port: A }));
    const sent = nextRequest(want(start, wheres({ Port: B })))?.state ?? start;
    const lost = interrupted(sent);
    expect(lost.acked.wheres).to.deep.equal(wheres({ Port: A }));
    expect(nextRequest(lost)?.tables).to.deep.equal(wheres({ Port: B }));
    expect(settledAnew(lost).acked).to.deep.equal({ version: 1, wheres: wheres({ Port: B }) });
  });

  it('stay as they were where the server refuses, and no version is given twice', () => {
    const start = initialConditions(wheres({ Port: A }));
    const sent = nextRequest(want(start, wheres({ Port: B })))?.state ?? start;
    const refused = refusedRequest(sent);
    expect(newest(refused)).to.equal(start.acked);
    expect(newest(want(refused, wheres({ Port: true }))).version).to.equal(2);
  });

  it('end with what was wanted last, whatever happens on the way', () => {
    const step = fc.constantFrom<(state: ConditionState) => ConditionState>(
      (state) => nextRequest(state)?.state ?? state,
      acknowledged,
      interrupted,
      (state) => settledAnew(interrupted(state)),
    );
    const wanting = fc.constantFrom(A, B, true, false).map((where) => wheres({ Port: where }));
    fc.assert(
      fc.property(fc.array(fc.oneof(step, wanting)), (events) => {
        let state = initialConditions(wheres({ Port: true }));
        let last: Where = true;
        for (const event of events)
          if (event instanceof Map) {
            state = want(state, event);
            last = event.get('Port') ?? true;
          } else state = event(state);
        for (;;) {
          state = acknowledged(state);
          const next = nextRequest(state);
          if (!next) break;
          state = next.state;
        }
        expect(state.acked.wheres.get('Port')).to.equal(last);
        expect(state.acked.version).to.equal(newest(state).version);
      }),
    );
  });

  it('say true and false on the wire, and leave out columns that the server lacks', () => {
    const present = new Set(['name']);
    expect(toWire(true, present)).to.deep.equal([true]);
    expect(toWire(false, present)).to.deep.equal([false]);
    expect(toWire([], present)).to.deep.equal([false]);
    expect(toWire(A, present)).to.deep.equal(A);
    expect(toWire([['colour', '==', 1], ...A], present)).to.deep.equal(A);
    expect(toWire([['colour', '==', 1]], present)).to.deep.equal([false]);
    expect(toWire([['_uuid', '==', 1]], present)).to.deep.equal([['_uuid', '==', 1]]);
  });

  it('are encoded by the schema', () => {
    const uuid = toUuid('00000000-0000-4000-8000-000000000001');
    const encoded = encodeConditions<OpenVSwitchTables>(codecsOf(openVSwitch), {
      Port: [
        ['name', '==', 'p'],
        ['tag', '==', 7],
        ['_uuid', '!=', uuid],
      ],
      Bridge: false,
    });
    expect(encoded.get('Port')).to.deep.equal([
      ['name', '==', 'p'],
      ['tag', '==', 7],
      ['_uuid', '!=', ['uuid', uuid]],
    ]);
    expect(encoded.get('Bridge')).to.equal(false);
    const wrong = (conditions: unknown) => () =>
      encodeConditions(codecsOf(openVSwitch), conditions as Parameters<typeof encodeConditions>[1]);
    expect(wrong({ Nothing: true })).to.throw(VsbError, 'Nothing');
    expect(wrong({ Port: [['colour', '==', 1]] })).to.throw(VsbError, 'Port.colour');
    expect(wrong({ Port: [['tag', '==', 'x']] })).to.throw(VsbError, 'Port.tag');
    expect(wrong({ Port: [['_uuid', '==', 'x']] })).to.throw(VsbError, 'no UUID');
  });
});
