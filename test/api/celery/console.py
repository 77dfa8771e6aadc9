"""Evaluates the Python expressions that come as lines of JSON, and answers each with a line of JSON."""
import datetime
import json
import socket
import sys
import threading
import time
import uuid

import celery.exceptions
from app import app
from celery import chain, chord, group, signature
from kombu.utils.json import dumps

NAMES = dict(app=app, chain=chain, chord=chord, group=group, signature=signature, time=time, uuid=uuid,
             datetime=datetime, socket=socket, threading=threading, exceptions=celery.exceptions)
NAMES['NAMES'] = NAMES


def answer(source):
    lines = source.strip().split('\n')
    scope = dict(NAMES)
    try:
        exec('\n'.join(lines[:-1]), scope)
        return {'value': eval(lines[-1], scope)}
    except BaseException as error:
        kind = type(error)
        return {'error': {'type': kind.__name__, 'module': kind.__module__, 'args': [str(arg) for arg in error.args],
                          'traceback': str(error.__cause__ or '')}}


for line in sys.stdin:
    print(dumps(answer(json.loads(line))), flush=True)
