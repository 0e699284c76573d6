"""What SQLite alone does with the same objects, as the limit that the figures of bench/run are
compared with: limits.py write BUNDLE DB, limits.py read DB COUNT. Prints objects a second.
And limits.py memory COMMAND...: the most memory that a command held, in bytes; limits.py cpu COMMAND...:
the processor's seconds that it took."""
import json
import resource
import sqlite3
import subprocess
import sys
import time


def write(bundle, path):
    """All objects in one durable transaction: a table of bytes with an index on the id."""
    with open(bundle, encoding="utf-8") as f:
        rows = [(o["id"], json.dumps(o, ensure_ascii=False)) for o in json.load(f)["objects"]]
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "CREATE TABLE object (n INTEGER PRIMARY KEY, id TEXT, bytes TEXT);"
                     "CREATE INDEX object_id ON object (id);")
    start = time.perf_counter()
    db.execute("BEGIN")
    db.executemany("INSERT INTO object (id, bytes) VALUES (?, ?)", rows)
    db.execute("COMMIT")
    return len(rows) / (time.perf_counter() - start)


def read(path, count):
    """The first `count` rows, again and again for two seconds."""
    db = sqlite3.connect(path)
    objects, start = 0, time.perf_counter()
    while time.perf_counter() - start < 2:
        objects += len(db.execute("SELECT bytes FROM object ORDER BY n LIMIT ?", (count,)).fetchall())
    return objects / (time.perf_counter() - start)


def used(command):
    """Its status 1 says "no", not that it failed."""
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode > 1:
        sys.exit(3)
    return resource.getrusage(resource.RUSAGE_CHILDREN)


if __name__ == "__main__":
    if sys.argv[1] == "memory":
        print(used(sys.argv[2:]).ru_maxrss * 1024)
    elif sys.argv[1] == "cpu":
        use = used(sys.argv[2:])
        print(use.ru_utime + use.ru_stime)
    elif sys.argv[1] == "write":
        print(round(write(sys.argv[2], sys.argv[3])))
    else:
        print(round(read(sys.argv[2], int(sys.argv[3]))))
