import type { Component } from '../core/component.ts';
import type { RandomString } from '../core/random.ts';
import { act } from './actions.ts';
import { decide } from './decide.ts';
import { probes } from './probes.ts';

/** PgBouncer between the application and Postgres: one for writes and one for reads. */
export function poolerComponent(random: RandomString): Component {
  return {
    name: 'pooler',
    dependsOn: ['credentials', 'certificates'],
    probes,
    plan: (scope, blockedBy) => decide(scope, blockedBy, random),
    act,
  };
}
