import type { Component } from '../core/component.ts';
import { act } from './actions.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import { probes } from './probes.ts';

/** Postgres under Patroni: one primary, its standbys, and the platform's database. */
export const postgresComponent: Component = {
  name: 'postgres',
  dependsOn: ['credentials', 'certificates'],
  probes,
  plan: (scope, blockedBy) => decide(scope, observe(scope), blockedBy),
  act,
};
