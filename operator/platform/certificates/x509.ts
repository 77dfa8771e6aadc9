// It registers what it is made of by the metadata of decorators, so these come first.
import 'reflect-metadata';

/** Half a megabyte of ASN.1, in a module of its own that is imported when something is issued: a few times a year. */
export * as x509 from '@peculiar/x509';
