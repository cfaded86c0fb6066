import { expect } from 'chai';
import { toUuid } from '../../../../src/ovsdb/schema/schema.ts';
import { judge, remember, type DatabaseRow, type Demands } from '../../../../src/ovsdb/client/serverdb.ts';

const CLUSTER = toUuid('00000000-0000-4000-8000-000000000001');
const OTHER = toUuid('00000000-0000-4000-8000-000000000002');

const NOTHING: Demands = { leaderOnly: true, clusterId: undefined, leastIndex: 0n };

function row(more: Partial<DatabaseRow>): DatabaseRow {
  return {
    _uuid: toUuid('00000000-0000-4000-8000-00000000000a'),
    name: 'db',
    model: 'clustered',
    connected: true,
    leader: true,
    schema: '{}',
    cid: CLUSTER,
    sid: undefined,
    index: 7n,
    ...more,
  };
}

describe('ovsdb serverdb', () => {
  const cases: readonly [
    what: string,
    row: Partial<DatabaseRow>,
    demands: Partial<Demands>,
    why: RegExp | undefined,
  ][] = [
    ['the leader', {}, {}, undefined],
    ['a follower', { leader: false }, {}, /not the leader/],
    ['a follower, where that will do', { leader: false }, { leaderOnly: false }, undefined],
    ['one that has not joined', { schema: undefined, connected: false }, {}, /not joined/],
    ['one that is cut off', { connected: false }, { leaderOnly: false }, /cut off from its cluster/],
    ['as far as was seen', { index: 7n }, { leastIndex: 7n }, undefined],
    ['a stale one', { index: 6n }, { leastIndex: 7n }, /stale \(index 6, seen was 7\)/],
    ['one without an index', { index: undefined }, { leastIndex: 1n }, /stale/],
    ['the cluster that is wanted', {}, { clusterId: CLUSTER }, undefined],
    ['another cluster', { cid: OTHER }, { clusterId: CLUSTER }, /of the cluster .*2, and wanted is .*1/],
    ['standalone', { model: 'standalone', cid: undefined, index: undefined }, {}, undefined],
    ['standalone, and a cluster wanted', { model: 'standalone' }, { clusterId: CLUSTER }, /is standalone/],
    ['standalone without a schema', { model: 'standalone', schema: undefined }, {}, /no schema/],
    ['a relay', { model: 'relay', leader: false, cid: undefined, index: undefined }, {}, undefined],
    [
      'a relay at first',
      { model: 'relay', connected: false, schema: undefined },
      {},
      /not reached its source/,
    ],
    ['a relay that is cut off', { model: 'relay', connected: false }, {}, /relay is cut off/],
    ['a model that comes later', { model: 'replicated', leader: false, cid: undefined }, {}, undefined],
  ];
  for (const [what, given, demands, why] of cases)
    it(`${why ? 'refuses' : 'takes'} ${what}`, () => {
      const found = judge(row(given), { ...NOTHING, ...demands });
      if (why) expect(found).to.match(why);
      else expect(found).to.equal(undefined);
    });

  it('pins the first cluster, and never goes back', () => {
    const first = remember(NOTHING, row({ index: 7n }));
    expect(first).to.deep.equal({ leaderOnly: true, clusterId: CLUSTER, leastIndex: 7n });
    expect(remember(first, row({ index: 5n, cid: OTHER }))).to.deep.equal(first);
    expect(remember(first, row({ index: 9n })).leastIndex).to.equal(9n);
    expect(remember(NOTHING, row({ model: 'standalone' }))).to.equal(NOTHING);
  });
});
