import os,sys
from streams.lane import transaction as T, settings as ST, fetching as F
from bench.job import Job
P=T.Producer
def prod(conf):
    for k,v in os.environ.items():
        if k.startswith("K_"): conf[k[2:].replace("_",".")]=v
    return P(conf)
T.Producer=prod
if "GATHER" in os.environ:
    import dataclasses
    import streams.lane.settings as S
    o=S.LaneSettings
    import bench.workers.lane as W0
    class LS: 
        def __new__(cls,**k): return o(**k,gather=float(os.environ["GATHER"]))
    W0.LaneSettings=LS
import bench.workers.lane as W
if "BAREGC" in os.environ: pass
W.main(Job.given())
