import { expect } from 'chai';
import { decodeDatapathNames, decodeDatapaths, decodeEventCount } from '../../../src/traffic/health.ts';

// Open vSwitch 3.1.0 with --enable-dummy=override.
const DPCTL_SHOW = `system@ovs-system:
  lookups: hit:2 missed:1 lost:0
  flows: 1
  port 0: ovs-system (dummy-internal)
  port 1: p1
  port 100: br0 (dummy-internal)
`;
const UPCALL_SHOW = `system@ovs-system:
  flows         : (current 0) (avg 0) (max 0) (limit 10000)
  dump duration : 1ms
  ufid enabled : true

  5: (keys 1)

`;

const SYSTEM = {
  name: 'system@ovs-system',
  hits: 2n,
  upcalls: 1n,
  lost: 0n,
  flows: 1n,
  flowLimit: 10000n,
  flowDumpMs: 1,
};

describe('the health of a switch', () => {
  it('is read from what ovs-vswitchd says of its datapaths', () => {
    expect(decodeDatapathNames(UPCALL_SHOW)).to.deep.equal(['system@ovs-system']);
    expect(decodeDatapaths(DPCTL_SHOW, UPCALL_SHOW)).to.deep.equal([SYSTEM]);
  });

  it('is read of each of several datapaths, whatever their order', () => {
    const netdev = DPCTL_SHOW.replace('system@ovs-system', 'netdev@ovs-netdev').replace('hit:2', 'hit:20');
    // The kernel's datapath says more (lib/dpctl.c).
    const kernel = DPCTL_SHOW.replace(
      '  port 0',
      '  masks: hit:45 total:2 hit/pkt:1.50\n  cache: hit:3 hit-rate:0.10%\n  caches:\n    masks-cache: size:256\n  port 0',
    );
    const offloaded = UPCALL_SHOW.replace('  dump', '  offloaded flows : 0\n  dump');
    const other = UPCALL_SHOW.replace('system@ovs-system', 'netdev@ovs-netdev').replace('10000', '200000');
    expect(decodeDatapaths(netdev + kernel, offloaded + other)).to.deep.equal([
      { ...SYSTEM, name: 'netdev@ovs-netdev', hits: 20n, flowLimit: 200_000n },
      SYSTEM,
    ]);
  });

  it('is unknown where nothing is said, and never 0', () => {
    const unknown = { hits: undefined, upcalls: undefined, lost: undefined, flows: undefined };
    const limits = { flowLimit: undefined, flowDumpMs: undefined };
    expect(decodeDatapaths('system@ovs-system:\n  lookups: of another form\n', '')).to.deep.equal([
      { name: 'system@ovs-system', ...unknown, ...limits },
    ]);
    for (const text of ['', 'garbage', ':\n', '\n\n  flows: 1\n', 'a b:\n'])
      expect(decodeDatapaths(text, text), text).to.deep.equal([]);
  });

  it('counts events', () => {
    expect(decodeEventCount('42\n')).to.equal(42n);
    expect(decodeEventCount('No such counter')).to.equal(undefined);
    expect(decodeEventCount('')).to.equal(undefined);
  });
});
