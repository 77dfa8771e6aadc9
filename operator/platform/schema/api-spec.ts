import { z } from 'zod';
import { command, image, minAtMostMax, resources, rules, says } from './fields.ts';

const autoscaling = z
  .strictObject({
    minReplicas: z.int().min(1).max(200).exactOptional().describe('Fewest pods.'),
    maxReplicas: z.int().min(1).max(200).exactOptional().describe('Most pods.'),
    targetCPUUtilizationPercentage: z
      .int()
      .min(10)
      .max(300)
      .exactOptional()
      .describe('CPU use, in percent of the request, around which the number of pods is kept.'),
  })
  .describe('Bounds within which a HorizontalPodAutoscaler chooses the number of pods.')
  .meta(rules(minAtMostMax));

export const apiSpecSchema = z
  .strictObject({
    image: image()
      .exactOptional()
      .describe("Image of the API. Default: the reference API's, or images.api where that is set."),
    command: command()
      .exactOptional()
      .describe("Command of the API's container, for an image of one's own; needs image."),
    replicas: z
      .int()
      .min(1)
      .max(200)
      .exactOptional()
      .describe('A fixed number of pods. Default: autoscaling within the bounds of the tier.'),
    autoscaling: autoscaling.exactOptional(),
    processes: z.int().min(1).max(64).exactOptional().describe('Server processes in each pod.'),
    maxConnections: z
      .int()
      .min(1)
      .max(65535)
      .exactOptional()
      .describe('Client connections that each process accepts at a time.'),
    resources: resources('an API pod').exactOptional(),
  })
  .describe('The HTTP API: a Deployment with a Service and, unless replicas is set, a HorizontalPodAutoscaler.')
  .meta(
    rules(
      {
        rule: '!(has(self.replicas) && has(self.autoscaling))',
        fieldPath: '.replicas',
        message: 'replicas and autoscaling exclude each other',
        messageExpression: says(
          'replicas is %d while autoscaling is set, and the two exclude each other: remove replicas, or remove autoscaling for a fixed number of pods',
          'self.replicas',
        ),
      },
      {
        rule: '!has(self.command) || has(self.image)',
        fieldPath: '.command',
        message: 'command needs image',
        messageExpression: says(
          'command is %s without an image: set image to the one that the command belongs to, or remove command',
          'self.command',
        ),
      },
    ),
  );
