import { expect } from 'chai';
import { apiVariables, loadConfig, workerVariables } from './config.ts';
import { AppError } from './errors.ts';

const complete = {
  DATABASE_URL: 'postgresql://u:p@db:5432/isp_support',
  CELERY_BROKER_URL: 'amqp://u:p@mq:5672/isp_support',
  REDIS_URL: 'redis://:p@redis:6379/0',
  SECRET_KEY: 'sixteen letters!',
};

describe('configuration', () => {
  it('fills in every default', () => {
    const config = loadConfig(apiVariables, complete);
    expect(config).to.include({
      PORT: 8000,
      API_PROCESSES: 1,
      API_MAX_CONNECTIONS: 250,
      REDIS_MODE: 'single',
      DEBUG: false,
    });
  });

  it('names each missing variable and its remedy', () => {
    expect(() => loadConfig(apiVariables, { ...complete, DATABASE_URL: '', SECRET_KEY: undefined }))
      .to.throw(AppError)
      .that.satisfies((error: AppError) => {
        expect(error.message).to.match(/DATABASE_URL is missing: set it to the Postgres primary's address/);
        expect(error.message).to.match(/SECRET_KEY is missing: set it to a random text/);
        return true;
      });
  });

  it('does not show the value of a wrong variable', () => {
    expect(() => loadConfig(apiVariables, { ...complete, REDIS_URL: 'http://:hunter2@redis' }))
      .to.throw(AppError)
      .with.property('message')
      .that.includes('REDIS_URL is not usable')
      .and.not.includes('hunter2');
  });

  it('keeps results where Redis is when a Celery application is told to send them', () => {
    const told = (CELERY_RESULT_BACKEND: string) =>
      loadConfig(workerVariables, { ...complete, WORKER_QUEUES: 'q', CELERY_RESULT_BACKEND }).CELERY_RESULT_BACKEND;
    expect(told('rpc://')).to.equal(undefined);
    expect(told('redis://:p@other:6379/1')).to.equal('redis://:p@other:6379/1');
  });

  it('splits the queues and refuses none', () => {
    expect(
      loadConfig(workerVariables, { ...complete, WORKER_QUEUES: 'messages, high_priority' }).WORKER_QUEUES,
    ).to.deep.equal(['messages', 'high_priority']);
    expect(() => loadConfig(workerVariables, { ...complete, WORKER_QUEUES: ',' })).to.throw('WORKER_QUEUES');
  });
});
