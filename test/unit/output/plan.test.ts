import { expect } from 'chai';
import type { Change } from '../../../src/domain.ts';
import { fail } from '../../../src/errors.ts';
import { renderPlan, renderReport, toReportDocument } from '../../../src/output/plan.ts';

const change: Change = {
  domain: 'switch',
  verb: 'update',
  kind: 'Port',
  name: 'web1-0',
  nic: 'web1:0',
  reason: 'settings differ',
  impact: 'flow',
  collateral: ['web1:0 moves to another VLAN'],
  fields: [{ field: 'tag', from: '10', to: undefined }],
};
const error = fail('DEVICE_MISSING', { device: 'web1-0', wanted: 'the tap of web1:0' });
const PLAIN = { colour: false, isVerified: true };

describe('renderPlan', () => {
  it('says what would change, why, and what it does to traffic', () => {
    expect(renderPlan({ topology: 'lab', changes: [change], refusals: [], notes: [] }, PLAIN)).to.equal(
      'lab: 0 to create, 1 to update, 0 to remove\n\n' +
        '  ~ Port  web1-0  web1:0  settings differ  impact: flow\n' +
        '        tag: 10 → (none)\n' +
        '      ! web1:0 moves to another VLAN\n',
    );
  });

  it('lets no escape sequence out of the database reach a terminal', () => {
    const evil = '\u001b[2J\u009b31m\n';
    const changes = [
      {
        ...change,
        name: evil,
        nic: evil,
        reason: evil,
        collateral: [evil],
        fields: [{ field: evil, from: evil, to: evil }],
      },
    ];
    const foreign = fail('PORT_NOT_OURS', { port: 'web1-0', bridge: 'br0', maker: `the topology "${evil}"` });
    const refusals = [{ domain: 'switch', kind: 'Port', name: evil, error: foreign } as const];
    const text = renderPlan({ topology: 'lab', changes, refusals, notes: [] }, PLAIN);
    expect(text.replaceAll('\n', '')).not.to.match(/\p{Cc}/u);
    expect(text.split('\n')).to.have.length(9);
  });
});

describe('renderReport', () => {
  it('names what failed and what is not in effect, and counts what was made', () => {
    const { code, message } = error;
    const finding = { domain: 'host', code, kind: 'tap', name: 'web1-0', nic: 'web1:0', message } as const;
    const made = { ...change, name: 'web2-0' };
    const plan = { topology: 'lab', changes: [change, made], refusals: [], notes: [] };
    const text = renderReport(
      { outcome: 'applied', failed: [{ change, error }], findings: [finding], plan },
      PLAIN,
    );
    expect(text.split('\n')).to.deep.equal([
      `failed Port web1-0: [DEVICE_MISSING] ${message}`,
      `not in effect tap web1-0 (web1:0): [DEVICE_MISSING] ${message}`,
      'lab: 0 created, 1 updated, 0 removed; 2 not in effect',
      '',
    ]);
  });
});

describe('toReportDocument', () => {
  it('says its version, the plan, and what failed', () => {
    const plan = { topology: 'lab', changes: [change], refusals: [], notes: [] };
    const document = toReportDocument({
      outcome: 'applied',
      failed: [{ change, error }],
      findings: [],
      plan,
    });
    expect(document).to.include({ formatVersion: '1.0', topology: 'lab', outcome: 'applied' });
    expect(document).to.have.nested.property('summary.update', 1);
    expect(document).to.have.nested.property('failed[0].code', 'DEVICE_MISSING');
  });
});
