/** The version of every JSON document that vsb prints or keeps. A minor step only adds members. */
export const FORMAT_VERSION = '1.0';
