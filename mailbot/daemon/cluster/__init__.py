"""Several workers that share one desk on PostgreSQL. Way in: `work_sharing.WorkSharing`, one per process.

worker          this process as a member: its leases, what it may do at this moment
work_sharing    who reads which mailbox, who handles which mail
shared_reader   one pass over a folder whose mail any worker may handle
"""
