# SPDX-License-Identifier: ISC
"""Reports that several tests explain."""

DSN = '''From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: me@example.org
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; jane@example.com
Action: %s
Status: %s
Diagnostic-Code: smtp; %s
%s
--b
Content-Type: message/rfc822

Message-ID: <1@example.org>
Subject: %s

text
--b--
'''
MISSING = DSN % ('failed', '5.1.1', '550 5.1.1 <jane@example.com>: User unknown', '', 'Hello')
