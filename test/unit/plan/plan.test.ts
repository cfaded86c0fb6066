import { expect } from 'chai';
import type { Change, Domain, DomainName, FailedChange, Refusal } from '../../../src/domain.ts';
import { fail } from '../../../src/errors.ts';
import { observe, planDown, planned, planUp, verify } from '../../../src/plan/plan.ts';
import type { DesiredState } from '../../../src/topology/desired.ts';
import { desiredState } from '../../support/desired.ts';

const DESIRED = desiredState('lab', [], []);
const WAIT = { deadlineMs: 1000 };
const ERROR = fail('DEVICE_MISSING', { device: 'a', wanted: 'the tap of a:0' });

function change(domain: DomainName, verb: Change['verb'], name: string): Change {
  return { domain, verb, kind: 'thing', name, reason: '', impact: 'none', fields: [] };
}

/** A domain that only writes down what it is asked to make. */
function domain(
  name: DomainName,
  up: readonly Change[],
  notes: string[],
  outcome: { readonly failed?: readonly FailedChange[]; readonly refusals?: readonly Refusal[] } = {},
): Domain<DesiredState, undefined, Change> {
  return {
    observe: () => Promise.resolve(undefined),
    diff: () => ({ changes: up, refusals: outcome.refusals ?? [] }),
    removal: () => ({ changes: [change(name, 'remove', 'all')], refusals: [] }),
    apply: (changes) => {
      notes.push(`${name}: ${changes.map((each) => `${each.verb} ${each.name}`).join(', ')}`);
      return Promise.resolve({ failed: outcome.failed ?? [] });
    },
    verify: () =>
      Promise.resolve([{ domain: name, code: 'DEVICE_MISSING', kind: 'thing', name: 'late', message: '' }]),
  };
}

const HOST = [
  change('host', 'create', 'new'),
  change('host', 'remove', 'old'),
  change('host', 'update', 'kept'),
];
const SWITCH = [change('switch', 'create', 'new'), change('switch', 'remove', 'old')];

describe('a plan', () => {
  it('makes taps before the switch asks for them, and takes them away after it let go of them', async () => {
    const notes: string[] = [];
    const parts = [
      planned('switch', domain('switch', SWITCH, notes)),
      planned('host', domain('host', HOST, notes)),
    ];
    const ready = planUp(DESIRED, await observe(parts, DESIRED));
    expect(ready.plan.changes.map(({ domain: of, verb, name }) => `${of} ${verb} ${name}`)).to.deep.equal([
      'host create new',
      'host update kept',
      'switch create new',
      'switch remove old',
      'host remove old',
    ]);
    await ready.apply(WAIT);
    expect(notes).to.deep.equal([
      'host: create new, update kept',
      'switch: create new, remove old',
      'host: remove old',
    ]);
  });

  it('goes down in the reverse order', async () => {
    const notes: string[] = [];
    const parts = [
      planned('host', domain('host', [], notes)),
      planned('switch', domain('switch', [], notes)),
    ];
    await planDown('lab', await observe(parts, DESIRED)).apply(WAIT);
    expect(notes).to.deep.equal(['switch: remove all', 'host: remove all']);
  });

  it('asks no domain that has nothing to do', async () => {
    const notes: string[] = [];
    const parts = [
      planned('host', domain('host', [], notes)),
      planned('switch', domain('switch', SWITCH, notes)),
    ];
    await planUp(DESIRED, await observe(parts, DESIRED)).apply(WAIT);
    expect(notes).to.deep.equal(['switch: create new, remove old']);
  });

  it('tells what failed in every domain, and goes on', async () => {
    const notes: string[] = [];
    const failed = HOST.slice(0, 1).map((each) => ({ change: each, error: ERROR }));
    const parts = [
      planned('host', domain('host', HOST.slice(0, 1), notes, { failed })),
      planned('switch', domain('switch', SWITCH, notes)),
    ];
    expect(await planUp(DESIRED, await observe(parts, DESIRED)).apply(WAIT)).to.deep.equal(failed);
    expect(notes).to.have.length(2);
  });

  it('says how far it came where a later domain cannot go on', async () => {
    const stuck = domain('switch', SWITCH, []);
    const parts = [
      planned('host', domain('host', HOST, [])),
      planned('switch', { ...stuck, apply: () => Promise.reject(fail('SWITCH_CHANGED', { what: 'x' })) }),
    ];
    const ready = planUp(DESIRED, await observe(parts, DESIRED));
    let thrown: unknown;
    try {
      await ready.apply(WAIT);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).to.include({ code: 'APPLY_INCOMPLETE' });
    expect(String(thrown)).to.contain('2 of 5 changes').and.to.contain('[SWITCH_CHANGED]');
  });

  it('does nothing at all where one domain refuses something', async () => {
    const notes: string[] = [];
    const refusals = [{ domain: 'host', kind: 'tap', name: 'a-0', error: ERROR } as const];
    const parts = [
      planned('host', domain('host', HOST, notes, { refusals })),
      planned('switch', domain('switch', SWITCH, notes)),
    ];
    const ready = planUp(DESIRED, await observe(parts, DESIRED));
    expect(ready.plan.refusals).to.deep.equal(refusals);
    const thrown: unknown = await ready.apply(WAIT).catch((error: unknown) => error);
    expect(thrown).to.include({ code: 'PLAN_REFUSED' });
    expect(thrown).to.have.property('message').that.contains('[DEVICE_MISSING]');
    expect(notes).to.deep.equal([]);
  });

  it('is verified in every domain', async () => {
    const parts = [planned('host', domain('host', [], [])), planned('switch', domain('switch', [], []))];
    const findings = await verify(parts, DESIRED, WAIT);
    expect(findings.map((finding) => finding.domain)).to.deep.equal(['host', 'switch']);
  });
});
