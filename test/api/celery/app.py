"""A user's Celery application, as the conformance suite and the benchmark run it: producer and worker alike."""
import os
import time

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

app = Celery('conformance', broker=os.environ['BROKER'], backend=os.environ['BACKEND'])
app.conf.update(
    task_create_missing_queue_type='quorum',
    task_default_queue_type='quorum',
    task_default_queue=os.environ.get('QUEUE', 'python'),
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name='py.echo')
def echo(value=None, **kwargs):
    return {'value': value, **kwargs} if kwargs else value


@app.task(name='py.add')
def add(a, b):
    return a + b


@app.task(name='py.sum')
def total(values):
    return sum(values)


@app.task(name='py.fail')
def fail(text):
    raise KeyError(text)


@app.task(name='py.retry', bind=True, max_retries=5)
def retry(self, times):
    if self.request.retries < times:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task(name='py.sleep')
def sleep(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name='py.soft')
def soft(seconds):
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        return 'soft limit'
    return seconds


@app.task(name='py.request', bind=True)
def request(self):
    return {'priority': self.request.delivery_info.get('priority'), 'retries': self.request.retries,
            'root': self.request.root_id, 'parent': self.request.parent_id}
