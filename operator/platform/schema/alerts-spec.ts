import { z } from 'zod';
import { rules, says } from './fields.ts';

const URL_PATTERN = '^https?://[^/@?#[:space:]]+(/[^@?#[:space:]]*)?$';

/** Where an Alertmanager answers. */
function alertmanagerUrl() {
  return z
    .string()
    .min(8)
    .max(512)
    .meta(
      rules({
        rule: `self.matches('${URL_PATTERN}')`,
        message: 'an Alertmanager has a URL that begins with http:// or https://',
        messageExpression: says(
          'is %s; it must be like http://alertmanager.monitoring:9093, with neither user, query nor fragment: give a token by tokenSecret',
          'self',
        ),
      }),
    );
}

const secretName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

const alertmanager = z
  .strictObject({
    url: alertmanagerUrl()
      .exactOptional()
      .describe('URL of an Alertmanager, with its route prefix if it has one; /api/v2/alerts is added.'),
    urls: z
      .array(alertmanagerUrl())
      .min(1)
      .max(5)
      .exactOptional()
      .describe(
        'URLs of all members of a highly available Alertmanager, in place of url: each of them is told everything.',
      )
      .meta({ 'x-kubernetes-list-type': 'set' }),
    tokenSecret: z
      .strictObject({
        name: secretName.describe("Secret in the platform's namespace."),
        key: z
          .string()
          .min(1)
          .max(253)
          .regex(/^[-._a-zA-Z0-9]+$/)
          .exactOptional()
          .describe('Key in it. Default: token.'),
      })
      .exactOptional()
      .describe('A bearer token to be sent along.'),
  })
  .describe('The Alertmanager to which alerts are sent.')
  .meta(
    rules({
      rule: 'has(self.url) != has(self.urls)',
      fieldPath: '.url',
      message: 'one of url and urls must be set',
      messageExpression: `has(self.url) ? ${says('url is %s while urls is set, and the two exclude each other: remove one of them', 'self.url')} : 'neither url nor urls is set: set url to where the Alertmanager answers'`,
    }),
  );

export const alertsSpecSchema = z
  .strictObject({ alertmanager })
  .describe('Who is told of failovers. Without it nobody is, beside by events, conditions and metrics.');
