import { expect } from 'chai';
import fc from 'fast-check';
import { decodeCookie } from '../../../../src/openflow/accounting.ts';
import { pairKey, toBridgeFlows, type BridgeFlows } from '../../../../src/switch/pipeline/bridgeflows.ts';
import { bridgeMode } from '../../../../src/switch/pipeline/bridgemode.ts';
import { pairRule, toPipeline, type PipelineRule } from '../../../../src/switch/pipeline/pipeline.ts';
import type { PipelineBridge, PipelinePort } from '../../../../src/switch/pipeline/pipelinebridge.ts';
import { countRules, diffPipeline, renderBundle } from '../../../../src/switch/pipeline/pipelinediff.ts';
import {
  renderVlanMatch,
  toVlanMatches,
  type PortVlans,
} from '../../../../src/switch/pipeline/pipelinevlan.ts';

const OURS = new Map([
  ['vswitchboard', 'lab'],
  ['vswitchboard-visibility', 'pairs'],
]);

function port(name: string, settings: Partial<PipelinePort> = {}): PipelinePort {
  return {
    name,
    port: name,
    type: '',
    ofport: 1,
    isAttached: true,
    driver: undefined,
    macInUse: undefined,
    tag: undefined,
    trunks: [],
    vlanMode: undefined,
    externalIds: new Map(),
    ...settings,
  };
}

function nicOf(vm: string, ofport: number, settings: Partial<PipelinePort> = {}): PipelinePort {
  return port(`${vm}-0`, {
    ofport,
    tag: 10,
    externalIds: new Map([
      ['vswitchboard-vm', vm],
      ['attached-mac', `52:54:00:00:00:${ofport.toString(16).padStart(2, '0')}`],
    ]),
    ...settings,
  });
}

function bridgeWith(...ports: readonly PipelinePort[]): PipelineBridge {
  return { name: 'br0', controllers: [], isSecure: false, externalIds: OURS, ports };
}

function rulesOf(bridge: PipelineBridge): readonly PipelineRule[] {
  return toPipeline(bridge).rules;
}

function textsOf(bridge: PipelineBridge): string[] {
  return rulesOf(bridge).map(({ text }) => text);
}

/** What a bridge has once its rules are written. */
function flowsOf(bridge: PipelineBridge, settings: Partial<BridgeFlows> = {}): BridgeFlows {
  const { rules, pairs, ids } = toPipeline(bridge);
  return {
    rules: new Set(rules.map(({ cookie }) => cookie)),
    pairs: new Set(pairs.map((pair) => pairKey(...pair))),
    pairIds: ids,
    foreignFlows: 0,
    hasDefault: true,
    conflict: undefined,
    ...settings,
  };
}

describe('switch: rules of the accounting pipeline', () => {
  const KINDS: readonly (readonly [what: string, port: PipelinePort, id: number])[] = [
    ['a NIC of ours', nicOf('web1', 7), 7],
    ['a NIC of libvirt', port('vnet0', { ofport: 8, externalIds: new Map([['vm-id', 'x']]) }), 8],
    [
      'a NIC of os-vif, internal',
      port('t', { type: 'internal', externalIds: new Map([['iface-id', 'x']]) }),
      1,
    ],
    ['the bridge itself', port('br0', { type: 'internal', ofport: 65534 }), 0x10002],
    ['an internal port', port('mgmt0', { type: 'internal' }), 0x10002],
    ['a tap of nobody', port('tap0', { driver: 'tun' }), 0x10004],
    ['a vhost-user socket of nobody', port('vu0', { type: 'dpdkvhostuserclient' }), 0x10004],
    ['a physical device', port('eno1', { driver: 'e1000e' }), 0x10001],
    ['a tunnel', port('vxlan0', { type: 'vxlan' }), 0x10001],
    ['a member of a bond', port('eno1', { port: 'bond0' }), 0x10001],
  ];
  for (const [what, one, id] of KINDS) {
    it(`take ${what} for what it is`, () => {
      const ofport = String(one.ofport);
      const [first] = textsOf(bridgeWith(one)).filter((text) => text.includes(`in_port=${ofport},`));
      expect(first).to.include(`actions=set_field:${String(id)}->reg0,`);
    });
  }

  it('send unknown addresses to the uplink only where there is one', () => {
    const last = (...ports: readonly PipelinePort[]): string | undefined =>
      textsOf(bridgeWith(...ports)).find((text) => text.startsWith('table=30,priority=1,'));
    expect(last(nicOf('web1', 7))).to.include('set_field:65540->reg1');
    expect(last(nicOf('web1', 7), port('eno1', { driver: 'e1000e' }))).to.include('set_field:65537->reg1');
  });

  it('number who waits for its device as it asks to be, unless somebody has that number', () => {
    const waiting = nicOf('late', 7, { isAttached: false });
    expect(textsOf(bridgeWith(waiting)).join())
      .to.include('in_port=7,')
      .and.include('52:54:00:00:00:07');
    const both = textsOf(
      bridgeWith(waiting, nicOf('web1', 7, { externalIds: new Map([['vm-id', 'web1']]) })),
    );
    expect(both.filter((text) => text.includes('in_port=7,'))).to.have.length(1);
    expect(both.join()).not.to.include('52:54:00:00:00:07');
    expect(textsOf(bridgeWith(nicOf('none', 7, { ofport: undefined }))).join()).not.to.include('none');
  });

  it('hold one rule for an address that two NICs have in one VLAN', () => {
    const twin = nicOf('web1', 9).externalIds;
    const rules = textsOf(bridgeWith(nicOf('web1', 9), nicOf('web2', 10, { externalIds: twin })));
    expect(rules.filter((text) => text.includes('dl_dst=52:54:00:00:00:09'))).to.have.length(1);
  });

  it('are the same for the same rows in any order, and no two have the same match', () => {
    const ports = fc.uniqueArray(
      fc.record({
        ofport: fc.integer({ min: 1, max: 200 }),
        tag: fc.option(fc.integer({ min: 0, max: 4094 }), { nil: undefined }),
        trunks: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 20 }),
        vlanMode: fc.constantFrom(undefined, 'access', 'trunk', 'native-tagged', 'native-untagged'),
        isAttached: fc.boolean(),
      }),
      { selector: ({ ofport }) => ofport, maxLength: 12 },
    );
    fc.assert(
      fc.property(ports, fc.nat(), (made, seed) => {
        const all = made.map(({ ofport, ...settings }) => nicOf(`vm${String(ofport)}`, ofport, settings));
        const { rules, pairs } = toPipeline(bridgeWith(...all));
        const other = all.toSorted((a, b) => (((a.ofport ?? 0) * seed) % 7) - (((b.ofport ?? 0) * seed) % 7));
        expect(toPipeline(bridgeWith(...other))).to.deep.include({ rules, pairs });
        const matches = [...rules, ...pairs.map(pairRule)].map(({ text }) => text.split(',actions=')[0]);
        expect(new Set(matches).size).to.equal(matches.length);
        expect(new Set(rules.map(({ cookie }) => cookie)).size).to.equal(rules.length);
      }),
    );
  });

  it('hold a row for each pair, or none where those would be too many', () => {
    const nics = (count: number): PipelinePort[] =>
      Array.from({ length: count }, (_, index) => nicOf(`vm${String(index)}`, index + 1));
    expect(
      toPipeline(bridgeWith(...nics(2))).pairs,
      'two NICs and three others, to each and flood',
    ).to.have.length(5 * 6);
    expect(toPipeline(bridgeWith(...nics(96))).pairs).to.have.length(99 * 100);
    expect(toPipeline(bridgeWith(...nics(97))).pairs).to.deep.equal([]);
  });
});

describe('switch: VLANs of the accounting pipeline', () => {
  it('match the VLANs of a port, each once, and no other', () => {
    const trunks = fc.uniqueArray(fc.integer({ min: 0, max: 4095 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.oneof(trunks, fc.constant(Array.from({ length: 4094 }, (_, n) => n + 1))), (ids) => {
        const matched = toVlanMatches(vlans({ trunks: ids })).flatMap((match) =>
          idsOf(renderVlanMatch(match)),
        );
        expect(matched.toSorted((a, b) => a - b)).to.deep.equal(ids.toSorted((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('take few rules for many VLANs', () => {
    expect(toVlanMatches(vlans({ trunks: Array.from({ length: 4094 }, (_, n) => n + 1) }))).to.have.length(
      22,
    );
    expect(toVlanMatches(vlans({}))).to.deep.equal([undefined]);
    expect(toVlanMatches(vlans({ tag: 5, vlanMode: 'native-untagged' }))).to.deep.equal([undefined]);
    const natives = toVlanMatches(vlans({ tag: 5, trunks: [4], vlanMode: 'native-untagged' }));
    expect(natives.map(renderVlanMatch)).to.deep.equal(['reg3=4/0xfffffffe,']);
  });

  function vlans(settings: Partial<PortVlans>): PortVlans {
    return { tag: undefined, trunks: [], vlanMode: undefined, ...settings };
  }

  /** What ovs-ofctl makes of the text. */
  function idsOf(text: string): number[] {
    const [, value, mask] = /^reg3=(\d+)(?:\/(0x[0-9a-f]+))?,$/.exec(text) ?? [];
    const wild = mask === undefined ? 0 : 0xffff_ffff - Number(mask);
    return Array.from({ length: wild + 1 }, (_, n) => Number(value) + n);
  }
});

describe('switch: what differs from the accounting pipeline', () => {
  const TWO = bridgeWith(nicOf('web1', 7), nicOf('db1', 8));

  it('is nothing where the rules are there', () => {
    expect(diffPipeline(TWO, flowsOf(TWO))).to.deep.equal({
      missing: [],
      stale: [],
      goneIds: [],
      gonePairs: 0,
      leavesNothing: false,
    });
  });

  it('is what a NIC needs alone, and what was learned for one that went', () => {
    const diff = diffPipeline(TWO, flowsOf(bridgeWith(nicOf('web1', 7), nicOf('web2', 9))));
    // in_port, address, the rest; 5 pairs from it, 4 to it and one with itself.
    expect(countRules(diff)).to.deep.equal({ come: 13, go: 13 });
    const lines = renderBundle(diff).trim().split('\n');
    expect(lines).to.include('flow delete cookie=0x564201f000000009/-1');
    expect(lines).to.include('flow delete table=50,cookie=0x5642000000000000/0xffff000000000000,reg1=9');
    expect(lines.filter((line) => line.startsWith('flow add'))).to.have.length(13);
  });

  it('is no plan where only an address of the host moved, which is written with the next one', () => {
    const at = (macInUse: string): PipelineBridge =>
      bridgeWith(port('br0', { type: 'internal', ofport: 65534, macInUse }));
    const diff = diffPipeline(at('00:00:00:00:00:01'), flowsOf(at('00:00:00:00:00:02')));
    expect(countRules(diff)).to.deep.equal({ come: 0, go: 0 });
    expect(diff.missing.map(({ cookie }) => decodeCookie(cookie)?.kind)).to.deep.equal(['address']);
    expect(diff.stale).to.have.length(1);
  });

  it('is everything where the bridge is not to have it, and clears another layout too', () => {
    const released = { ...TWO, externalIds: new Map<string, string>() };
    const diff = diffPipeline(released, flowsOf(TWO));
    expect(countRules(diff)).to.deep.equal({ come: 0, go: toPipeline(TWO).rules.length + 30 });
    expect(renderBundle(diff)).to.equal('flow delete cookie=0x5642000000000000/0xffff000000000000\n');
    const older = {
      tableId: 30,
      priority: 7,
      cookie: 0x5642_00aa_0000_0001n,
      idleTimeoutS: 0,
      match: [],
      instructions: [],
      register: () => undefined,
    };
    expect(diffPipeline(TWO, toBridgeFlows([older])).stale).to.deep.equal([older.cookie]);
  });
});

describe('switch: what can be counted on a bridge', () => {
  const TWO = bridgeWith(nicOf('web1', 7));
  const CASES: readonly (readonly [
    Partial<PipelineBridge>,
    Partial<BridgeFlows>,
    mode: string,
    why: string,
  ])[] = [
    [{}, {}, 'pairs', 'topology "lab" wants it (visibility: pairs)'],
    [{ externalIds: new Map() }, {}, 'foreign', 'no topology manages it'],
    [
      { externalIds: new Map([['vswitchboard', 'lab']]) },
      {},
      'ports',
      'topology "lab" wants no more (visibility: ports)',
    ],
    [
      { controllers: ['tcp:10.0.0.1:6653'] },
      {},
      'foreign',
      'the controller tcp:10.0.0.1:6653 makes its flows',
    ],
    [
      {},
      { conflict: 'table 30 has flows of somebody else' },
      'foreign',
      'table 30 has flows of somebody else',
    ],
    [
      { isSecure: true },
      { hasDefault: false },
      'foreign',
      'it has no default rule (fail_mode is secure), so it forwards nothing',
    ],
    [{ isSecure: true }, {}, 'pairs', 'topology "lab" wants it (visibility: pairs)'],
    [{}, { hasDefault: false }, 'pairs', 'topology "lab" wants it (visibility: pairs)'],
  ];
  for (const [bridge, flows, mode, reason] of CASES) {
    it(`is ${mode}: ${reason}`, () => {
      expect(bridgeMode({ ...TWO, ...bridge }, flowsOf(TWO, flows))).to.deep.equal({ mode, reason });
    });
  }
});
