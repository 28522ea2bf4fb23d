import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Observation } from '../../src/record/observation.js';
import { collisionEvents, collisionSchema } from '../../src/simulation/collision-events.js';
import { boost } from '../../src/simulation/kinematics.js';
import { accuracy, fitLogistic, fitPerceptron, standardize, type Sample } from './plain-learners.js';

function take(seed: number, count: number): Observation[] {
  const events = collisionEvents(seed);
  return Array.from({ length: count }, () => events.next().value);
}
const number = (event: Observation, name: string) => event[name] as number;

describe('simulated collisions', () => {
  const events = take(1, 3_000);

  it('have the columns of the schema in their order, and nothing else', () => {
    for (const event of events.slice(0, 10)) {
      assert.deepEqual(
        Object.keys(event),
        collisionSchema.fields.map((field) => field.name),
      );
    }
    assert.equal(collisionSchema.features.length, 30);
    assert.equal(collisionSchema.features[0], 'DER_mass_MMC');
    assert.equal(collisionSchema.features[29], 'PRI_jet_all_pt');
    assert.ok(!collisionSchema.features.includes('Weight'));
    assert.deepEqual([events[0]['EventId'], events[9]['EventId']], [100_000, 100_009]);
  });

  it('are the same for the same seed, and others for another', () => {
    assert.deepEqual(take(1, 100), events.slice(0, 100));
    assert.notDeepEqual(take(2, 100), events.slice(0, 100));
  });

  it('have no value just where the physics has none', () => {
    const jets = new Set<number>();
    for (const event of events) {
      const numJets = number(event, 'PRI_jet_num');
      jets.add(numJets);
      for (const name of collisionSchema.features) {
        const value = number(event, name);
        assert.ok(Number.isFinite(value), name);
        const needs = /subleading|jet_jet|lep_eta_centrality/.test(name)
          ? 2
          : /jet_leading/.test(name)
            ? 1
            : 0;
        if (name !== 'DER_mass_MMC') assert.equal(value === -999, numJets < needs, `${name}: ${value}`);
      }
      assert.equal(number(event, 'PRI_jet_all_pt') === 0, numJets === 0);
    }
    assert.deepEqual([...jets].sort(), [0, 1, 2, 3]);
    assert.ok(events.some((event) => event['DER_mass_MMC'] === -999));
  });

  it('have derived columns that follow from the measured ones', () => {
    for (const event of events.slice(0, 500)) {
      const get = (name: string) => number(event, name);
      const close = (name: string, expected: number) =>
        assert.ok(Math.abs(get(name) - expected) <= 0.0011, `${name} ${get(name)} ${expected}`);
      const vector = (pt: number, phi: number) => [pt * Math.cos(phi), pt * Math.sin(phi)];
      const [tx, ty] = vector(get('PRI_tau_pt'), get('PRI_tau_phi'));
      const [lx, ly] = vector(get('PRI_lep_pt'), get('PRI_lep_phi'));
      const [mx, my] = vector(get('PRI_met'), get('PRI_met_phi'));
      const energy = (pt: string, eta: string) => get(pt) * Math.cosh(get(eta));
      const along = (pt: string, eta: string) => get(pt) * Math.sinh(get(eta));
      const e = energy('PRI_tau_pt', 'PRI_tau_eta') + energy('PRI_lep_pt', 'PRI_lep_eta');
      const z = along('PRI_tau_pt', 'PRI_tau_eta') + along('PRI_lep_pt', 'PRI_lep_eta');
      close('DER_mass_vis', Math.sqrt(Math.max(0, e * e - z * z - (tx + lx) ** 2 - (ty + ly) ** 2)));
      close('DER_pt_h', Math.hypot(tx + lx + mx, ty + ly + my));
      const sum = get('PRI_lep_pt') + get('PRI_met');
      close(
        'DER_mass_transverse_met_lep',
        Math.sqrt(Math.max(0, sum * sum - (lx + mx) ** 2 - (ly + my) ** 2)),
      );
      close('DER_sum_pt', get('PRI_tau_pt') + get('PRI_lep_pt') + get('PRI_jet_all_pt'));
      close('DER_pt_ratio_lep_tau', get('PRI_lep_pt') / get('PRI_tau_pt'));
      assert.ok(Math.abs(get('DER_met_phi_centrality')) <= 1.415);
      if (get('PRI_jet_num') >= 2) {
        const [one, two] = [get('PRI_jet_leading_eta'), get('PRI_jet_subleading_eta')];
        close('DER_deltaeta_jet_jet', Math.abs(one - two));
        close('DER_prodeta_jet_jet', one * two);
        assert.ok(get('PRI_jet_leading_pt') >= get('PRI_jet_subleading_pt'));
      }
    }
  });

  it('boosts leave masses as they are', () => {
    const mass = ({ x, y, z, e }: { x: number; y: number; z: number; e: number }) =>
      Math.sqrt(Math.abs(e * e - x * x - y * y - z * z));
    const body = { x: 30, y: -40, z: 120, e: Math.sqrt(125 ** 2 + 30 ** 2 + 40 ** 2 + 120 ** 2) };
    const boosted = boost({ x: 3, y: 4, z: -5, e: 10 }, body, 125);
    assert.ok(Math.abs(mass(boosted) - mass({ x: 3, y: 4, z: -5, e: 10 })) < 1e-6);
    // What rests in the body moves as the body does.
    const resting = boost({ x: 0, y: 0, z: 0, e: 125 }, body, 125);
    for (const axis of ['x', 'y', 'z', 'e'] as const) assert.ok(Math.abs(resting[axis] - body[axis]) < 1e-9);
  });

  it('are told apart by a small network clearly better than by a linear model', () => {
    const samples: Sample[] = take(7, 12_000).map((event) => ({
      features: collisionSchema.features.map((name) => number(event, name)),
      isSignal: event['Label'] === 's',
    }));
    const [train, test] = standardize(samples.slice(0, 9_000), samples.slice(9_000));
    const linear = accuracy(fitLogistic(train), test);
    const network = accuracy(fitPerceptron(train, 24, 12), test);
    assert.ok(linear > 0.65 && linear < 0.75, `linear ${linear}`);
    assert.ok(network > 0.78 && network < 0.9, `network ${network}`);
    assert.ok(network - linear > 0.07, `network ${network}, linear ${linear}`);
  });
});
