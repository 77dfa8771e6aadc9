"""A user's Celery application that leaves its broker, its results and its sizes to the environment and the command."""
import time

from celery import Celery

app = Celery('support')
app.conf.update(
    task_create_missing_queue_type='quorum',
    task_acks_late=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name='support.settings', bind=True)
def settings(self):
    return {'backend': app.conf.result_backend, 'timelimit': self.request.timelimit}


@app.task(name='support.sleep')
def sleep(seconds):
    time.sleep(seconds)
    return seconds
